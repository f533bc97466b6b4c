//! Has the server built again after the console was: its files are embedded, and new ones have new names.

fn main() {
    let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/../../console/dist");
    // A watched directory that does not exist would build everything again each time.
    if std::fs::create_dir_all(dist).is_ok() {
        println!("cargo::rerun-if-changed={dist}");
    }
}
