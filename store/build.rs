//! Makes cargo notice a new migration: `sqlx_macros::migrate!` reads the folder while compiling.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
