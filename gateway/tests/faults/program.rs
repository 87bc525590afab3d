//! The gateway's program as a process of its own, which can be killed at any moment.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How a run ended, and what it said.
pub struct Ended {
    pub status: ExitStatus,
    pub text: String,
}

impl Ended {
    pub fn was_killed(&self) -> bool {
        std::os::unix::process::ExitStatusExt::signal(&self.status) == Some(9)
    }
}

/// A program that runs, or ran.
#[derive(Clone, Default)]
pub struct Program(Arc<Mutex<Option<Child>>>);

impl Drop for Program {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 {
            self.kill();
        }
    }
}

impl Program {
    /// Starts it with the configuration in this folder, behind another program if one is named.
    pub fn start(&self, folder: &Path, before: &[&str], args: &[&str]) {
        let program = env!("CARGO_BIN_EXE_p2p-gateway");
        let mut command = match before {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
                command
            }
        };
        let (output, errors) = (std::fs::File::create(output(folder)).unwrap(), log(folder));
        command.arg("--config").arg(folder.join("gateway.toml")).args(args);
        let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn();
        *self.0.lock().unwrap() = Some(child.expect("the gateway starts"));
    }

    pub fn id(&self) -> u32 {
        self.0.lock().unwrap().as_ref().expect("it was started").id()
    }

    /// With SIGKILL, if it still runs.
    pub fn kill(&self) {
        if let Some(child) = self.0.lock().unwrap().as_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and how long it took to end.
    pub fn terminate(&self, folder: &Path) -> (Duration, Ended) {
        let began = Instant::now();
        let told = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap();
        assert!(told.success());
        let ended = self.wait(folder);
        (began.elapsed(), ended)
    }

    pub fn wait(&self, folder: &Path) -> Ended {
        const MOST: Duration = Duration::from_secs(120);
        let began = Instant::now();
        loop {
            let ended = self.0.lock().unwrap().as_mut().expect("it was started").try_wait().unwrap();
            if let Some(status) = ended {
                return Ended { status, text: std::fs::read_to_string(output(folder)).unwrap() };
            }
            assert!(began.elapsed() < MOST, "the gateway does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// KiB of memory that it has had at most, if it still runs.
    pub fn peak_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok())
    }
}

fn output(folder: &Path) -> PathBuf {
    folder.join("output")
}

fn log(folder: &Path) -> std::fs::File {
    std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap()
}

/// Runs it to its end.
pub fn run(folder: &Path, args: &[&str]) -> Ended {
    let program = Program::default();
    program.start(folder, &[], args);
    program.wait(folder)
}

/// Delivers what is due, and ends.
pub const ONCE: [&str; 4] = ["run", "--once", "--wait", "20"];

pub fn once(folder: &Path) -> Ended {
    run(folder, &ONCE)
}

/// How an agreement's kWh came about, as the program accounts for it.
pub fn explain(folder: &Path, agreement_id: u64) -> Vec<Value> {
    let ended = run(folder, &["explain", "--json", &agreement_id.to_string()]);
    assert!(ended.status.success(), "{}", ended.text);
    serde_json::from_str(&ended.text).expect("it is JSON")
}
