//! The release binary holds the browser's half: it is built anew when that was. Any other reads it from
//! the folder as it is asked for it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed=../target/site");
    }
}
