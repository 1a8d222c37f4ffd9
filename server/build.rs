//! What ships holds the browser's half: it is built anew when that was. A build that checks itself reads it
//! from the folder as it is asked for it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo says no more of a profile than whether it leaves anything for debuggers: what ships doesn't.
    if std::env::var("DEBUG").is_ok_and(|debug| debug == "false") {
        println!("cargo::rerun-if-changed=../target/site");
    }
}
