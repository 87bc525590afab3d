//! What the sources talk to: a broker, a server of HTTP, a serial line.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{sync_channel, Receiver};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use p2p_gateway::config::Config;
use p2p_gateway::source::{self, Heard, Said, Sources};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

/// After so long without what it waits for a test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An empty folder of this name.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program that the tests need, which Debian's package of the same name has.
fn program(name: &str, package: &str) -> Command {
    // A user's search path may be without the place of the system's daemons.
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let mut places = std::env::split_paths(&path);
    let is_there = places.any(|place| place.join(name).exists());
    assert!(is_there, "these tests need the program {name}: apt-get install {package}");
    let mut command = Command::new(name);
    command.env("PATH", path);
    command
}

/// A configuration of one provider for each of these meters.
pub fn config(meters: &[&str]) -> Config {
    let mut text = "network = \"local\"\nstate = \"state\"\nkey = \"meter.key\"\n".to_string();
    text += "contract = \"CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM\"\n";
    for (number, meter) in meters.iter().enumerate() {
        let address = stellar_strkey::ed25519::PublicKey([number as u8; 32]).to_string();
        text += &format!("[[provider]]\nname = \"{number}\"\naddress = \"{address}\"\n[provider.meter]\n{meter}\n");
    }
    Config::parse(&text, Path::new("gateway.toml")).unwrap_or_else(|error| panic!("{error}"))
}

/// The provider, and what is said of its meter.
pub fn shown(heard: &Heard) -> String {
    let said = match &heard.said {
        Said::Sample(sample) => sample.energy.to_string(),
        Said::NoReading(why) => why.label().into(),
        Said::Connected => "connected".into(),
        Said::Disconnected(reason) => format!("down: {reason}"),
    };
    format!("{} {said}", heard.provider)
}

/// Who hears what the sources of these meters say.
pub struct Ear {
    heard: Receiver<Heard>,
    _sources: Sources,
}

impl Ear {
    pub fn new(meters: &[&str]) -> Self {
        let (sender, heard) = sync_channel(100);
        Self { heard, _sources: source::start(&config(meters), sender) }
    }

    pub fn next(&self) -> String {
        shown(&self.heard.recv_timeout(PATIENCE).expect("nothing was heard"))
    }

    fn next_within(&self, time: Duration) -> Option<String> {
        self.heard.recv_timeout(time).ok().map(|heard| shown(&heard))
    }
}

/// A broker of its own configuration, on a free port of loopback.
pub struct Broker {
    pub folder: PathBuf,
    pub port: u16,
    pub tls_port: u16,
    child: Option<Child>,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Broker {
    const USER: &str = "gateway";
    pub const PASSWORD: &str = "right";

    /// Without more configuration it lets in only who has the password.
    pub fn start(name: &str, more: &str) -> Self {
        Self::start_with(name, |_, _| more.into())
    }

    /// A second listener has TLS, by a certificate for localhost.
    pub fn start_tls(name: &str) -> Self {
        Self::start_with(name, |folder, port| {
            for authority in ["ca", "other"] {
                let new = format!(
                    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={authority}"
                );
                openssl(folder, &format!("{new} -keyout {authority}.key -out {authority}.pem"));
            }
            let request = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost";
            openssl(folder, &format!("{request} -keyout broker.key -out broker.csr"));
            fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
            let sign = "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names";
            openssl(folder, &format!("{sign} -out broker.pem"));
            let folder = folder.display();
            format!(
                "allow_anonymous true\nlistener {port} 127.0.0.1\ncertfile {folder}/broker.pem\nkeyfile {folder}/broker.key\n"
            )
        })
    }

    fn start_with(name: &str, more: impl FnOnce(&Path, u16) -> String) -> Self {
        let folder = folder(&format!("broker-{name}"));
        let (port, tls_port) = (free_port(), free_port());
        let passwords = folder.join("passwords");
        let mut passwd = program("mosquitto_passwd", "mosquitto");
        passwd.args(["-b", "-c"]).arg(&passwords).args([Self::USER, Self::PASSWORD]);
        assert!(passwd.status().unwrap().success());
        let more = more(&folder, tls_port);
        let common = format!(
            "user root\nlog_dest file {folder}/log\npassword_file {passwords}\nlistener {port} 127.0.0.1\n{more}",
            folder = folder.display(),
            passwords = passwords.display()
        );
        fs::write(folder.join("conf"), common).unwrap();
        let mut broker = Self { folder, port, tls_port, child: None };
        broker.run();
        broker
    }

    pub fn run(&mut self) {
        let mut mosquitto = program("mosquitto", "mosquitto");
        mosquitto.arg("-c").arg(self.folder.join("conf")).stderr(Stdio::null());
        self.child = Some(mosquitto.spawn().unwrap());
        wait_until("mosquitto", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    pub fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    pub fn publish(&self, topic: &str, payload: &str) {
        self.send(topic, payload, false);
    }

    pub fn retain(&self, topic: &str, payload: &str) {
        self.send(topic, payload, true);
    }

    /// Until the broker has confirmed it.
    fn send(&self, topic: &str, payload: &str, retain: bool) {
        let mut options = MqttOptions::new("publisher", "127.0.0.1", self.port);
        options.set_credentials(Self::USER, Self::PASSWORD).set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = Client::new(options, 10);
        client.publish(topic, QoS::AtLeastOnce, retain, payload).unwrap();
        let is_confirmed = |event| matches!(event, Ok(Event::Incoming(Packet::PubAck(_))));
        assert!(connection.iter().take(20).any(is_confirmed), "the broker does not take a message");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.stop();
        }
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let mut openssl = program("openssl", "openssl");
    let output = openssl.current_dir(folder).args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What follows the length in the next packet of MQTT.
fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut rest = vec![0; head[1].into()];
    stream.read_exact(&mut rest).unwrap();
    rest
}

/// A broker's part until the topics are subscribed, with these answers to them.
pub fn accept(listener: &TcpListener, answers: &[u8]) -> TcpStream {
    let (mut stream, _) = listener.accept().unwrap();
    packet(&mut stream);
    stream.write_all(&[0x20, 2, 0, 0]).unwrap();
    let subscription = packet(&mut stream);
    let length = 2 + answers.len() as u8;
    stream.write_all(&[&[0x90, length, subscription[0], subscription[1]], answers].concat()).unwrap();
    stream
}

/// The head of a request.
pub struct Request(Vec<String>);

impl Request {
    pub fn path(&self) -> &str {
        self.0[0].split(' ').nth(1).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.0.iter().skip(1).filter_map(|line| line.split_once(": "));
        headers.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// A server that answers each request of a connection.
pub struct Server {
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> String + Clone + Send + 'static) -> Self {
        Self::at(0, answer)
    }

    pub fn at(port: u16, answer: impl Fn(&Request) -> String + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let all = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, all) = (answer.clone(), all.clone());
                std::thread::spawn(move || {
                    let mut stream = BufReader::new(stream.unwrap());
                    loop {
                        let lines = stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
                        let request = Request(lines.collect());
                        if request.0.is_empty() {
                            return;
                        }
                        all.lock().unwrap().push(request.path().into());
                        if stream.get_mut().write_all(answer(&request).as_bytes()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { port, asked }
    }

    /// The paths that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

pub fn json(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A serial line, of which this is the meter's end.
pub struct Pty {
    pub device: PathBuf,
    socat: Option<(Child, ChildStdin)>,
}

impl Pty {
    pub fn start(name: &str) -> Self {
        let mut pty = Self { device: folder(&format!("pty-{name}")).join("tty"), socat: None };
        pty.plug();
        pty
    }

    pub fn meter(&self, more: &str) -> String {
        format!("source = \"telegram\"\nline = \"{}\"\n{more}", self.device.display())
    }

    pub fn plug(&mut self) {
        let mut socat = program("socat", "socat");
        socat.arg("-u").arg("-").arg(format!("pty,rawer,link={}", self.device.display()));
        let mut child = socat.stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        self.socat = Some((child, stdin));
        wait_until("socat", || self.device.exists());
    }

    /// The end of its input is that of the line.
    pub fn unplug(&mut self) {
        let (mut child, stdin) = self.socat.take().unwrap();
        drop(stdin);
        child.wait().unwrap();
        assert!(!self.device.exists());
    }

    /// Writes what is no telegram until the sources have opened the line.
    pub fn plugged(&mut self, ear: &Ear) {
        wait_until("the line", || {
            self.write(b"\r\n");
            ear.next_within(Duration::from_millis(200)).is_some_and(|heard| heard == "0 connected")
        });
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let (_, stdin) = self.socat.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if self.socat.is_some() {
            self.unplug();
        }
    }
}
