//! What systemd is told of the service's state: a line in a datagram, as sd_notify(3) says. Without systemd nobody is told.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::log::plain;

pub struct Service {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Service {
    pub fn from_env() -> io::Result<Self> {
        let watchdog = || {
            let pid = std::env::var("WATCHDOG_PID").ok();
            // A parent's watchdog is none of ours.
            let is_ours = pid.is_none_or(|pid| pid == std::process::id().to_string());
            std::env::var("WATCHDOG_USEC").ok().filter(|_| is_ours)
        };
        Self::new(std::env::var_os("NOTIFY_SOCKET"), watchdog().as_deref())
    }

    fn new(socket: Option<OsString>, watchdog_usec: Option<&str>) -> io::Result<Self> {
        let socket = socket.filter(|socket| !socket.is_empty()).map(|socket| connect(&socket)).transpose()?;
        let microseconds = watchdog_usec.and_then(|text| text.parse().ok()).filter(|microseconds| *microseconds > 0);
        Ok(Self { socket, watchdog: microseconds.map(Duration::from_micros) })
    }

    /// How often to say that it is alive, if systemd wants to hear it: twice in the time after which it would restart it.
    pub fn alive_every(&self) -> Option<Duration> {
        self.watchdog.map(|watchdog| watchdog / 2)
    }

    pub fn ready(&self) {
        self.send("READY=1");
    }

    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// A line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.send(&format!("STATUS={}", plain(text)));
    }

    /// What systemd does not take at once is not worth waiting for.
    fn send(&self, message: &str) {
        if let Some((socket, address)) = &self.socket {
            let _ = socket.send_to_addr(message.as_bytes(), address);
        }
    }
}

fn connect(name: &OsString) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(receiver: &UnixDatagram) -> String {
        let mut message = [0; 1_000];
        receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let length = receiver.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    }

    fn hears_all(receiver: &UnixDatagram, service: &Service) {
        service.ready();
        service.status("2 providers, 1 kWh due\nand more");
        service.alive();
        service.stopping();
        let heard: Vec<_> = (0..4).map(|_| receive(receiver)).collect();
        assert_eq!(heard, ["READY=1", "STATUS=2 providers, 1 kWh due\\nand more", "WATCHDOG=1", "STOPPING=1"]);
    }

    #[test]
    fn systemd_hears_it_at_a_path() {
        let path = std::env::temp_dir().join(format!("p2p-gateway-notify-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let receiver = UnixDatagram::bind(&path).unwrap();
        hears_all(&receiver, &Service::new(Some(path.clone().into()), None).unwrap());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn systemd_hears_it_at_an_abstract_name() {
        let name = format!("p2p-gateway-notify-{}", std::process::id());
        let receiver = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        hears_all(&receiver, &Service::new(Some(format!("@{name}").into()), None).unwrap());
    }

    #[test]
    fn without_systemd_nothing_is_said_and_nothing_fails() {
        for socket in [None, Some(OsString::new())] {
            let service = Service::new(socket, None).unwrap();
            service.ready();
            assert_eq!(service.alive_every(), None);
        }
    }

    #[test]
    fn one_that_does_not_listen_holds_nothing_up() {
        let name = format!("p2p-gateway-deaf-{}", std::process::id());
        let _receiver = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let service = Service::new(Some(format!("@{name}").into()), None).unwrap();
        for _ in 0..10_000 {
            service.alive();
        }
    }

    #[test]
    fn it_is_alive_twice_in_the_watchdogs_time() {
        let alive_every = |usec| Service::new(None, Some(usec)).unwrap().alive_every();
        assert_eq!(alive_every("60000000"), Some(Duration::from_secs(30)));
        for none in ["0", "", "soon", "-1"] {
            assert_eq!(alive_every(none), None, "{none}");
        }
    }
}
