//! Re-embeds migrations, and turns `static/` into constants: each file with the address that carries its content hash,
//! as it is and compressed, so that a misspelt name does not compile.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::{env, error, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=static");
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("static");
    let out = env::var("OUT_DIR")?;
    let mut names: Vec<String> = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, std::io::Error>>()?;
    names.sort();
    let mut code = String::new();
    let mut all = String::new();
    for name in names {
        let path = folder.join(&name);
        let bytes = fs::read(&path)?;
        let (stem, extension) = name.split_once('.').ok_or("a static file without an extension")?;
        let content_type = match extension {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            other => return Err(format!("no content type for .{other}").into()),
        };
        let hash: String = Sha256::digest(&bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        // Taken from the output folder, never from here: a build folder may be shared by clones that come and go.
        let plain = format!("{out}/{name}");
        fs::write(&plain, &bytes)?;
        let compressed = format!("{out}/{name}.gz");
        let mut encoder = GzEncoder::new(fs::File::create(&compressed)?, Compression::best());
        encoder.write_all(&bytes)?;
        encoder.finish()?;
        let constant = name.to_uppercase().replace(['.', '-'], "_");
        writeln!(
            code,
            "/// `static/{name}`\npub const {constant}: Asset = Asset {{ path: \"/static/{stem}.{hash}.{extension}\", \
             content_type: \"{content_type}\", bytes: include_bytes!({plain:?}), gzip: include_bytes!({compressed:?}) }};"
        )?;
        write!(all, "{constant}, ")?;
    }
    writeln!(code, "/// Every static file.\npub const ALL: &[Asset] = &[{all}];")?;
    fs::write(format!("{out}/assets.rs"), code)?;
    Ok(())
}
