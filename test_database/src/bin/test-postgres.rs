//! Starts a throw-away Postgres for the browser tests: prints the URL of an empty database, and
//! ends with it when standard input is closed.

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the URL is what this program is for")]
async fn main() -> std::io::Result<()> {
    println!("{}", test_database::empty_postgres_url().await);
    std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()).map(drop)
}
