//! `cargo xtask dist`: the packages, in `target/dist`.
//!
//! A tarball is always built. A `.deb`, a static binary and a container image are built where this
//! machine has the tools; what is not built is reported with the reason.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::command::{self, Outcome, built, cargo, program, root, succeeds};
use crate::programs;

/// Dissector of recordings of the tap, for Wireshark.
const DISSECTOR: &str = "packaging/wireshark/glassline.lua";

const FOLDER: &str = "target/dist";
const MUSL_TARGET: &str = "x86_64-unknown-linux-musl";
const SHELLS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/glassline"),
    ("zsh", "share/zsh/site-functions/_glassline"),
    ("fish", "share/fish/vendor_completions.d/glassline.fish"),
];
/// Container builders, first choice first.
const BUILDERS: [&str; 2] = ["podman", "docker"];

/// A package that was built, and the directory in which it is unpacked for a look.
struct Package {
    file: PathBuf,
    /// Unpacks the file into a folder, below which the binary is at `binary`.
    unpack: fn(&Path, &Path) -> Outcome,
    binary: PathBuf,
}

/// Builds the packages.
pub(crate) fn run() -> Outcome {
    build().map(|_| ())
}

/// Builds the packages, unpacks each and starts its binary.
pub(crate) fn test() -> Outcome {
    for (index, package) in build()?.iter().enumerate() {
        let folder = fresh(&format!("unpacked-{index}"))?;
        (package.unpack)(&package.file, &folder)?;
        starts(&folder.join(&package.binary))?;
        println!("{}: its binary starts", shown(&package.file));
    }
    Ok(())
}

fn build() -> Result<Vec<Package>, String> {
    programs::build()?;
    let binary = root().join(built("glassline"));
    println!("the binary needs {}", glibc_of(&binary)?);
    let tree = tree(&binary)?;
    let mut packages = vec![tarball(&tree, std::env::consts::ARCH)?];
    let static_tarball = static_tarball()?;
    let image = image(matches!(static_tarball, Made::Package(_)))?;
    for (name, made) in [("a .deb", deb(&tree)?), ("a static binary", static_tarball), ("a container image", image)] {
        match made {
            Made::Package(package) => packages.push(package),
            Made::Elsewhere(what) => println!("{what}"),
            Made::NotRun(reason) => println!("NOT RUN: {name}: {reason}"),
        }
    }
    for package in &packages {
        println!("built {}", shown(&package.file));
    }
    Ok(packages)
}

/// The outcome of a package that not every machine can build.
enum Made {
    Package(Package),
    /// Built and started, but no file: the text gives its location.
    Elsewhere(String),
    NotRun(String),
}

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// An empty folder in `target/dist`.
fn fresh(name: &str) -> Result<PathBuf, String> {
    let folder = root().join(FOLDER).join(name);
    // Left there by an earlier run.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> Outcome {
    to.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::copy(from, to))
        .map(|_| ())
        .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))
}

/// Lays out what is installed: `bin`, `share/man`, completions, Wireshark's dissector and the
/// licences.
fn tree(binary: &Path) -> Result<PathBuf, String> {
    let tree = fresh(&format!("glassline-{}", version()))?;
    copy(binary, &tree.join("bin/glassline"))?;
    let pages = tree.join("share/man/man1");
    command::run(program(&binary.display().to_string(), &["man", &pages.display().to_string()]))?;
    for (shell, place) in SHELLS {
        let printed = program(&binary.display().to_string(), &["completions", shell]).output();
        let printed = printed.map_err(|error| format!("cannot print the completions for {shell}: {error}"))?;
        let file = tree.join(place);
        file.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&file, printed.stdout))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    copy(&root().join(DISSECTOR), &tree.join("share/glassline/glassline.lua"))?;
    for file in ["README.md", "LICENSE", "LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root().join(file), &tree.join("share/doc/glassline").join(file))?;
    }
    Ok(tree)
}

fn tarball(tree: &Path, name: &str) -> Result<Package, String> {
    let folder = tree.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = root().join(FOLDER).join(format!("{folder}-{name}.tar.gz"));
    let parent = tree.parent().unwrap_or(tree).display().to_string();
    command::run(program("tar", &["-C", &parent, "-czf", &file.display().to_string(), &folder]))?;
    let unpack = |file: &Path, into: &Path| {
        command::run(program("tar", &["-C", &into.display().to_string(), "-xzf", &file.display().to_string()]))
    };
    Ok(Package { file, unpack, binary: Path::new(&folder).join("bin/glassline") })
}

fn deb(tree: &Path) -> Result<Made, String> {
    if !succeeds("dpkg-deb", &["--version"]) {
        return Ok(Made::NotRun("dpkg-deb is missing; it is in the package dpkg".to_string()));
    }
    let glibc = glibc_of(&tree.join("bin/glassline"))?;
    let architecture = output("dpkg", &["--print-architecture"])?;
    let folder = fresh("deb")?;
    command::run(program("cp", &["-r", &tree.display().to_string(), &folder.join("usr").display().to_string()]))?;
    let control = format!(
        "Package: glassline\nVersion: {}\nArchitecture: {architecture}\nMaintainer: Glassline <glassline@localhost>\n\
         Depends: libc6 (>= {})\nSection: net\nPriority: optional\nDescription: A group chat you can see through\n",
        version(),
        glibc.trim_start_matches("glibc "),
    );
    let control_file = folder.join("DEBIAN/control");
    fs::create_dir_all(folder.join("DEBIAN"))
        .and_then(|()| fs::write(&control_file, control))
        .map_err(|error| format!("cannot write {}: {error}", control_file.display()))?;
    let file = root().join(FOLDER).join(format!("glassline_{}_{architecture}.deb", version()));
    let (from, to) = (folder.display().to_string(), file.display().to_string());
    command::run(program("dpkg-deb", &["--root-owner-group", "--build", &from, &to]))?;
    let unpack = |file: &Path, into: &Path| {
        command::run(program("dpkg-deb", &["-x", &file.display().to_string(), &into.display().to_string()]))
    };
    Ok(Made::Package(Package { file, unpack, binary: PathBuf::from("usr/bin/glassline") }))
}

fn static_tarball() -> Result<Made, String> {
    let sysroot = output("rustc", &["--print", "sysroot"])?;
    if !Path::new(&sysroot).join("lib/rustlib").join(MUSL_TARGET).join("lib").is_dir() {
        return Ok(Made::NotRun(format!("the target is missing; install it with: rustup target add {MUSL_TARGET}")));
    }
    if !succeeds("musl-gcc", &["--version"]) {
        return Ok(Made::NotRun("musl-gcc is missing; it is in the package musl-tools".to_string()));
    }
    let mut build = cargo(&format!("build --release --locked --target {MUSL_TARGET}"));
    build.env("CC_x86_64_unknown_linux_musl", "musl-gcc");
    command::run(build)?;
    let folder = fresh(&format!("glassline-{}-static", version()))?;
    copy(&static_binary(), &folder.join("bin/glassline"))?;
    Ok(Made::Package(tarball(&folder, std::env::consts::ARCH)?))
}

fn static_binary() -> PathBuf {
    root().join("target").join(MUSL_TARGET).join("release/glassline")
}

/// Builds the image, which holds the static binary of this run.
fn image(has_static_binary: bool) -> Result<Made, String> {
    let Some(builder) = BUILDERS.into_iter().find(|builder| succeeds(builder, &["info"])) else {
        return Ok(Made::NotRun(format!("neither {} runs here", BUILDERS.join(" nor "))));
    };
    if !has_static_binary {
        return Ok(Made::NotRun("it holds the static binary, which was not built".to_string()));
    }
    let folder = fresh("image")?;
    copy(&static_binary(), &folder.join("glassline"))?;
    copy(&root().join("packaging/Containerfile"), &folder.join("Containerfile"))?;
    let tag = format!("glassline:{}", version());
    let file = folder.join("Containerfile").display().to_string();
    command::run(program(builder, &["build", "-t", &tag, "-f", &file, &folder.display().to_string()]))?;
    command::run(program(builder, &["run", "--rm", &tag, "--version"]))?;
    Ok(Made::Elsewhere(format!("built the image {tag}; it starts")))
}

fn output(name: &str, arguments: &[&str]) -> Result<String, String> {
    let output = program(name, arguments).output().map_err(|error| format!("cannot run {name}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// Runs a binary from a package: its version, and a server that accepts and ends in order.
fn starts(binary: &Path) -> Outcome {
    let name = binary.display().to_string();
    let said = output(&name, &["--version"])?;
    if said != format!("glassline {}", version()) {
        return Err(format!("{name} --version said {said:?}"));
    }
    // A host whose input is at its end: it listens, joins itself and leaves.
    let mut host = program(&name, &["--listen", "127.0.0.1:0", "--history", "none", "--name", "host"]);
    host.stdin(Stdio::null());
    command::run(host)
}

/// Returns the newest version of the C library that a binary asks for, as `glibc 2.34`.
///
/// The names of the versions (`GLIBC_2.34`) are in the binary's string table.
fn glibc_of(binary: &Path) -> Result<String, String> {
    let bytes = fs::read(binary).map_err(|error| format!("cannot read {}: {error}", binary.display()))?;
    newest_glibc(&bytes).map(|(major, minor)| format!("glibc {major}.{minor}")).ok_or_else(|| "no glibc".to_string())
}

fn newest_glibc(bytes: &[u8]) -> Option<(u32, u32)> {
    const MARK: &[u8] = b"GLIBC_";
    let named = bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    let versions = named.filter_map(|(at, _)| {
        let rest = &bytes[at + MARK.len()..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let mut numbers = std::str::from_utf8(&rest[..length]).ok()?.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    versions.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_the_c_library_is_found() {
        let bytes = b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_PRIVATE\0GLIBC_2.2.5\0";
        assert_eq!(newest_glibc(bytes), Some((2, 34)));
        assert_eq!(newest_glibc(b"static"), None);
    }
}
