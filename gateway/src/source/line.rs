//! Telegrams over a serial line, or over TCP from a machine that has one (ser2net and its like).

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::fs::{open, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{
    ioctl_tiocexcl, tcflush, tcgetattr, tcsetattr, ControlModes, InputModes, OptionalActions, QueueSelector,
};

use super::{Backoff, Link};
use crate::input::telegram::Telegrams;
use crate::input::{NoReading, Sample};

pub use crate::config::Line;

/// A plugged-in reading head is found within this time.
const MOST_BETWEEN_ATTEMPTS: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// Meters speak each 1 to 10 s. A peer that is silent for so long may be gone without a word.
const SILENCE: Duration = Duration::from_secs(60);
/// How often a silent line looks whether it is to end.
const STEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
/// The rest of a telegram comes right behind its beginning: one wake-up for both saves the processor's sleep.
const REST: Duration = Duration::from_millis(100);

trait Stream: Read + AsFd {}
impl Stream for File {}
impl Stream for TcpStream {}

pub fn run(line: &Line, link: &mut Link) {
    let mut backoff = Backoff::new(MOST_BETWEEN_ATTEMPTS);
    while !link.is_stopped() {
        let began = Instant::now();
        let opened = match line {
            Line::Tcp { host, port } => connect(host, *port),
            Line::Serial { device, baud, seven_even } => open_serial(device, *baud, *seven_even),
        };
        let end = opened.and_then(|mut stream| read(stream.as_mut(), link));
        let Err(reason) = end else { return };
        link.is_down(&format!("{}: {reason}", name(line)));
        if link.waits(backoff.after(began.elapsed())) {
            return;
        }
    }
}

fn name(line: &Line) -> String {
    match line {
        Line::Tcp { host, port } => format!("tcp://{host}:{port}"),
        Line::Serial { device, .. } => device.display().to_string(),
    }
}

/// Until it is stopped, or the connection ends for some reason.
fn read(stream: &mut dyn Stream, link: &mut Link) -> Result<(), String> {
    let max_age = link.listeners.iter().map(|listener| listener.max_age).min().unwrap_or(SILENCE);
    let silence = SILENCE.min(max_age);
    let mut telegrams = Telegrams::new();
    let mut last = Instant::now();
    let mut bytes = [0; 4096];
    while !link.is_stopped() {
        let mut fds = [PollFd::new(&stream, PollFlags::IN)];
        match poll(&mut fds, Some(&STEP)) {
            Ok(0) if last.elapsed() >= silence => {
                return Err(format!("nothing has come for {} s", silence.as_secs()));
            }
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
        if link.waits(REST) {
            return Ok(());
        }
        let length = match stream.read(&mut bytes) {
            Ok(0) => return Err("the connection was closed".into()),
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => continue,
            Err(error) => return Err(error.to_string()),
        };
        last = Instant::now();
        link.is_up();
        for read in telegrams.push(bytes.get(..length).unwrap_or_default()) {
            tell(link, read);
        }
    }
    Ok(())
}

/// Meters that share a line are told apart by their ids. What is of none of them, all hear.
fn tell(link: &Link, read: Result<Sample, NoReading>) {
    let id = read.as_ref().ok().and_then(|sample| sample.meter_id.as_ref());
    let is_known = id.is_some() && link.listeners.iter().any(|listener| listener.meter_id.as_ref() == id);
    for listener in &link.listeners {
        let is_anothers = is_known && listener.meter_id.is_some() && listener.meter_id.as_ref() != id;
        if !is_anothers {
            link.hears(listener, read.clone().and_then(|sample| listener.accept(sample, Timestamp::now())));
        }
    }
}

fn connect(host: &str, port: u16) -> Result<Box<dyn Stream>, String> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let addresses = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
    let mut reason = "the name has no address".to_string();
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => return Ok(Box::new(stream)),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}

fn open_serial(device: &Path, baud: u32, seven_even: bool) -> Result<Box<dyn Stream>, String> {
    let reason = |error: Errno| match error {
        Errno::NOENT => {
            "there is no such device here: it is not plugged in, or serial.conf is missing beside the service's unit"
                .into()
        }
        Errno::ACCESS => "this user may not read it: it has to be in the device's group, dialout for most".into(),
        Errno::BUSY => "another program has it open".into(),
        Errno::NOTTY => "it is no serial device".into(),
        error => error.to_string(),
    };
    // Without waiting for a modem's carrier, which a reading head does not have.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = open(device, flags, Mode::empty()).map_err(reason)?;
    let mut mode = tcgetattr(&file).map_err(reason)?;
    ioctl_tiocexcl(&file).map_err(reason)?;
    mode.make_raw();
    mode.control_modes -= ControlModes::CSIZE | ControlModes::PARENB | ControlModes::PARODD | ControlModes::CSTOPB;
    mode.control_modes -= ControlModes::CRTSCTS;
    mode.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    if seven_even {
        mode.control_modes |= ControlModes::CS7 | ControlModes::PARENB;
        // A byte of wrong parity is read as 0, which no telegram has.
        mode.input_modes |= InputModes::INPCK;
    } else {
        mode.control_modes |= ControlModes::CS8;
    }
    mode.set_speed(baud).map_err(|_| format!("it has no speed of {baud} baud"))?;
    tcsetattr(&file, OptionalActions::Now, &mode).map_err(reason)?;
    // What came at another speed.
    tcflush(&file, QueueSelector::IFlush).map_err(reason)?;
    Ok(Box::new(File::from(file)))
}
