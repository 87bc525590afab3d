//! What the package brings fits together.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn packaging(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The unit without the comment that it begins with.
fn unit(name: &str) -> String {
    let text = packaging(name);
    text[text.find("[Unit]").unwrap()..].into()
}

#[test]
fn the_template_differs_from_the_unit_only_in_names() {
    let expected = unit("p2p-gateway.service")
        .replace("to its neighbours", "to its neighbours (%i)")
        .replace("/gateway.toml", "/%i.toml")
        .replace("meter.key", "%i.key")
        .replace("StateDirectory=p2p-gateway", "StateDirectory=p2p-gateway/%i");
    assert_eq!(unit("p2p-gateway@.service"), expected);
}

#[test]
fn the_unit_hands_over_what_the_example_names() {
    let (unit, example) = (unit("p2p-gateway.service"), packaging("gateway.toml"));
    assert!(unit.contains("\nLoadCredential=meter.key:/etc/p2p-gateway/meter.key\n"));
    assert!(example.contains("\nkey = \"meter.key\"\n"));
    assert!(unit.contains("\nStateDirectory=p2p-gateway\n"));
    assert!(example.contains("\nstate = \"/var/lib/p2p-gateway\"\n"));
    assert!(unit.contains("\nExecStart=/usr/bin/p2p-gateway run --config /etc/p2p-gateway/gateway.toml\n"));
}

/// The files that the package brings, by where they come from.
fn assets() -> Vec<(String, String)> {
    let manifest: toml::Value = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .map(|text| toml::from_str(&text).unwrap())
        .unwrap();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
    let asset = |asset: &toml::Value| {
        let [from, to] = [0, 1].map(|place| asset[place].as_str().unwrap());
        (from.to_string(), format!("/{to}{}", from.rsplit('/').next().unwrap()))
    };
    assets.iter().map(asset).collect()
}

#[test]
fn what_the_guide_and_the_units_name_is_in_the_package() {
    const FOLDER: &str = "/usr/share/doc/p2p-gateway/";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("README.md")).unwrap();
    let brought: Vec<_> = assets().into_iter().map(|(_, to)| to).collect();
    let mut named = vec![];
    for text in [guide, packaging("p2p-gateway.service"), packaging("p2p-gateway@.service")] {
        for (place, _) in text.match_indices(FOLDER) {
            let path =
                text[place..].split(|letter: char| letter.is_whitespace() || ":`".contains(letter)).next().unwrap();
            assert!(brought.iter().any(|brought| brought == path), "{path} is not in {brought:?}");
            named.push(path.rsplit('/').next().unwrap().to_string());
        }
    }
    named.sort();
    named.dedup();
    assert_eq!(named, ["README.md", "serial.conf"]);
}

#[test]
fn the_package_brings_no_configuration_that_an_upgrade_would_ask_about() {
    for (from, to) in assets() {
        assert!(!to.starts_with("/etc/"), "{from} becomes {to}");
    }
}

/// What systemd-analyze says of the units, one of them with the drop-in for serial devices.
fn analyzed(name: &str, args: &[&str]) -> (bool, String) {
    let folder = std::env::temp_dir().join(format!("p2p-gateway-units-{name}-{}", std::process::id()));
    fs::create_dir_all(folder.join("p2p-gateway.service.d")).unwrap();
    for name in ["p2p-gateway.service", "p2p-gateway@.service"] {
        let text = packaging(name).replace("=/usr/bin/p2p-gateway", concat!("=", env!("CARGO_BIN_EXE_p2p-gateway")));
        fs::write(folder.join(name), text).unwrap();
    }
    fs::write(folder.join("p2p-gateway.service.d/serial.conf"), packaging("serial.conf")).unwrap();
    let mut command = Command::new("systemd-analyze");
    let output = command.args(args).current_dir(&folder).output().expect("systemd-analyze");
    fs::remove_dir_all(folder).unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
#[ignore = "needs systemd-analyze: make test-gateway"]
fn systemd_knows_every_line_of_the_units() {
    for unit in ["./p2p-gateway.service", "./p2p-gateway@.service"] {
        let (is_known, told) = analyzed("verify", &["verify", "--recursive-errors=no", unit]);
        assert!(is_known, "{told}");
    }
}

#[test]
#[ignore = "needs systemd-analyze: make test-gateway"]
fn the_units_expose_little() {
    // In tenths, of 10: 1.1, and 1.3 with serial devices, where a unit without protection has 9.6. Versions of systemd differ.
    for unit in ["./p2p-gateway.service", "./p2p-gateway@.service"] {
        let (is_within, told) =
            analyzed("security", &["security", "--no-pager", "--offline=yes", "--threshold=15", unit]);
        assert!(is_within, "{told}");
    }
}

/// A system of a test's own, on which the package's scripts work.
struct System(PathBuf);

impl System {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("p2p-gateway-package-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let system = Self(root);
        fs::create_dir_all(system.0.join("run/systemd/system")).unwrap();
        // What only root can do is written down.
        for program in ["adduser", "chown", "systemctl"] {
            let path =
                system.write(&format!("stubs/{program}"), "#!/bin/sh\necho \"${0##*/} $*\" >>\"$DPKG_ROOT/done\"\n");
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        system
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs a script as dpkg does; says what it asked of others, and what it told.
    fn run(&self, script: &str, args: &[&str]) -> (String, String) {
        let path = format!("{}:{}", self.0.join("stubs").display(), std::env::var("PATH").unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(script);
        let mut command = Command::new("sh");
        command.arg(&script).args(args).env("DPKG_ROOT", &self.0).env("PATH", path);
        let Output { status, stderr, .. } = command.output().unwrap();
        let told = String::from_utf8(stderr).unwrap();
        assert!(status.success(), "{script:?} {args:?}: {told}");
        let done = self.0.join("done");
        let asked = fs::read_to_string(&done).unwrap_or_default();
        let _ = fs::remove_file(done);
        let root = self.0.to_str().unwrap();
        (asked.replace(root, ""), told.replace(root, ""))
    }

    /// All files and folders below etc and var.
    fn left(&self) -> Vec<String> {
        let mut left = vec![];
        let mut folders = vec![self.0.join("etc"), self.0.join("var")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                left.push(path.strip_prefix(&self.0).unwrap().display().to_string());
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        left.sort();
        left
    }

    /// As after some time of use.
    fn used(name: &str) -> Self {
        let system = Self::new(name);
        system.run("postinst", &["configure", ""]);
        for path in [
            "etc/p2p-gateway/gateway.toml",
            "etc/p2p-gateway/alice.toml",
            "etc/systemd/system/multi-user.target.wants/p2p-gateway@alice.service",
            "var/lib/p2p-gateway/journal",
            "var/lib/p2p-gateway/alice/journal",
        ] {
            system.write(path, path);
        }
        system
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const CONFIGURED: &str = "adduser --quiet --system --group --no-create-home --home /nonexistent p2p-gateway\n\
                          chown root:p2p-gateway /etc/p2p-gateway\n";

#[test]
fn what_is_put_into_the_folder_of_configurations_belongs_to_the_services_group() {
    let system = System::new("folder");
    assert_eq!(system.run("postinst", &["configure", ""]), (CONFIGURED.into(), String::new()));
    let folder = system.0.join("etc/p2p-gateway");
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o7777, 0o2750);
}

#[test]
fn an_upgrade_restarts_every_gateway_and_leaves_the_configurations() {
    let system = System::used("upgrade");
    let before = system.left();
    assert_eq!(system.run("prerm", &["upgrade", "0.2.0"]), Default::default());
    assert_eq!(system.run("postrm", &["upgrade", "0.2.0"]), Default::default());
    let restarted = format!("{CONFIGURED}systemctl try-restart p2p-gateway@*.service\n");
    assert_eq!(system.run("postinst", &["configure", "0.1.0"]), (restarted, String::new()));
    assert_eq!(system.left(), before);
    assert_eq!(fs::read_to_string(system.0.join("etc/p2p-gateway/alice.toml")).unwrap(), "etc/p2p-gateway/alice.toml");
}

#[test]
fn removed_it_stops_every_gateway_and_leaves_what_is_of_the_household() {
    let system = System::used("remove");
    let before = system.left();
    assert_eq!(system.run("prerm", &["remove"]), ("systemctl stop p2p-gateway@*.service\n".into(), String::new()));
    assert_eq!(system.run("postrm", &["remove"]), Default::default());
    assert_eq!(system.left(), before);
}

#[test]
fn purged_it_leaves_the_keys_alone_and_says_so() {
    let system = System::used("purge");
    for key in ["meter.key", "alice.key.cred"] {
        system.write(&format!("etc/p2p-gateway/{key}"), "S...");
    }
    let (asked, told) = system.run("postrm", &["purge"]);
    assert_eq!(asked, "");
    assert_eq!(
        told,
        "p2p-gateway: /etc/p2p-gateway stays, with what is in it: move what a key's account holds before you delete the key\n"
    );
    let folders = [
        "etc/p2p-gateway",
        "etc/systemd",
        "etc/systemd/system",
        "etc/systemd/system/multi-user.target.wants",
        "var/lib",
    ];
    let keys = ["etc/p2p-gateway/alice.key.cred", "etc/p2p-gateway/meter.key"];
    let mut expected = [&folders[..], &keys[..]].concat();
    expected.sort_unstable();
    assert_eq!(system.left(), expected);
}

#[test]
fn purged_where_no_key_is_it_leaves_nothing() {
    let system = System::used("nothing");
    assert_eq!(system.run("postrm", &["purge"]), Default::default());
    assert!(!system.0.join("etc/p2p-gateway").exists());
    assert_eq!(system.run("postrm", &["purge"]), Default::default());
}
