//! Topics of an MQTT broker. All providers of one broker and user share a connection.
//!
//! Its session is a clean one: what a broker keeps for a client that is away says nothing about now, and looks as if it did.
//! Nothing is lost by it, since each message has the whole register. The client's name is another at each start, so that a
//! look at the meter by hand does not throw the running gateway out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rumqttc::tokio_rustls::rustls::{ClientConfig, RootCertStore};
use rumqttc::{
    Client, ConnectReturnCode, Connection, ConnectionError, Event, MqttOptions, Packet, Publish, QoS, StateError,
    SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};

use super::{random, secret, Backoff, Link};
use crate::config::Mqtt;
use crate::input::json::{Format, Message, Topics};

const MOST_BETWEEN_ATTEMPTS: Duration = Duration::from_secs(60);
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Room for a message that is too long, so that it is refused by name and does not cost the connection.
const MOST_PACKET_BYTES: usize = 1024 * 1024;
/// Requests that wait to be sent: a subscription, and the farewell.
const MOST_REQUESTS: usize = 4;

/// A broker, and who the gateway is to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    host: String,
    port: u16,
    tls: bool,
    ca: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
}

/// What one provider reads there.
#[derive(Clone, Debug)]
pub struct Reader {
    topics: Vec<String>,
    format: Format,
    sum: Topics,
}

impl Reader {
    pub fn new(mqtt: &Mqtt) -> Self {
        Self { topics: mqtt.topics.clone(), format: mqtt.format.clone(), sum: Topics::new(mqtt.topics.len()) }
    }
}

impl Broker {
    pub fn of(mqtt: &Mqtt) -> Self {
        Self {
            host: mqtt.host.clone(),
            port: mqtt.port,
            tls: mqtt.tls,
            ca: mqtt.ca.clone(),
            user: mqtt.user.clone(),
            password_file: mqtt.password_file.clone(),
        }
    }

    fn name(&self) -> String {
        format!("{}://{}:{}", if self.tls { "mqtts" } else { "mqtt" }, self.host, self.port)
    }

    pub fn client(&self) -> (Client, Connection) {
        // At most the 23 letters and digits that every broker takes.
        let id = format!("p2pgateway{:013x}", random() >> 12);
        let mut options = MqttOptions::new(id, &self.host, self.port);
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_session(true)
            .set_max_packet_size(MOST_PACKET_BYTES, MOST_PACKET_BYTES);
        Client::new(options, MOST_REQUESTS)
    }

    /// Files are read for each attempt: a password that was changed is taken as soon as the old one is refused.
    fn prepare(&self, options: &mut MqttOptions) -> Result<(), String> {
        if let Some(user) = &self.user {
            let password = self.password_file.as_deref().map(secret).transpose()?;
            options.set_credentials(user, password.unwrap_or_default());
        }
        if self.tls {
            options.set_transport(Transport::tls_with_config(self.authorities()?));
        }
        Ok(())
    }

    fn authorities(&self) -> Result<TlsConfiguration, String> {
        let Some(path) = &self.ca else {
            let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
            return Ok(TlsConfiguration::Rustls(Arc::new(config)));
        };
        let ca = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Ok(TlsConfiguration::Simple { ca, alpn: None, client_auth: None })
    }
}

pub fn run(broker: &Broker, client: &Client, mut connection: Connection, mut readers: Vec<Reader>, link: &mut Link) {
    let mut topics: Vec<String> = readers.iter().flat_map(|reader| reader.topics.clone()).collect();
    topics.sort();
    topics.dedup();
    let mut backoff = Backoff::new(MOST_BETWEEN_ATTEMPTS);
    while !link.is_stopped() {
        let began = Instant::now();
        let reason = match broker.prepare(&mut connection.eventloop.mqtt_options) {
            Ok(()) => listen(client, &mut connection, &topics, &mut readers, link),
            Err(reason) => reason,
        };
        if link.is_stopped() {
            return;
        }
        link.is_down(&format!("{}: {reason}", broker.name()));
        if link.waits(backoff.after(began.elapsed())) {
            return;
        }
    }
}

/// Until the connection ends, for the reason that is returned.
fn listen(
    client: &Client,
    connection: &mut Connection,
    topics: &[String],
    readers: &mut [Reader],
    link: &mut Link,
) -> String {
    loop {
        let event = match connection.recv() {
            Ok(Ok(event)) => event,
            Ok(Err(error)) => {
                // What came right before it would be read after the next connection, as if it were of then.
                connection.eventloop.state.events.clear();
                return reason(&error);
            }
            Err(_) => return "it was stopped".into(),
        };
        match event {
            // In a clean session nothing is subscribed yet, whatever was before.
            Event::Incoming(Packet::ConnAck(_)) => {
                for reader in readers.iter_mut() {
                    reader.sum = Topics::new(reader.topics.len());
                }
                let filters = topics.iter().map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtLeastOnce));
                if client.try_subscribe_many(filters).is_err() {
                    return "a topic is not as MQTT allows".into();
                }
            }
            Event::Incoming(Packet::SubAck(answer)) => subscribed(topics, &answer.return_codes, readers, link),
            Event::Incoming(Packet::Publish(message)) => read(&message, readers, link),
            _ => {}
        }
        if link.is_stopped() {
            return "it was stopped".into();
        }
    }
}

fn subscribed(topics: &[String], answers: &[SubscribeReasonCode], readers: &[Reader], link: &mut Link) {
    let is_refused = |topic: &&String| {
        let place = topics.iter().position(|other| other == *topic);
        place.and_then(|place| answers.get(place)).is_none_or(|answer| *answer == SubscribeReasonCode::Failure)
    };
    for (listener, reader) in readers.iter().enumerate() {
        let state = match reader.topics.iter().find(is_refused) {
            Some(topic) => Err(format!("the broker does not let this user read the topic {topic}")),
            None => Ok(()),
        };
        link.turns(listener, state);
    }
}

fn read(message: &Publish, readers: &mut [Reader], link: &Link) {
    for (reader, listener) in readers.iter_mut().zip(&link.listeners) {
        for place in 0..reader.topics.len() {
            if reader.topics.get(place) != Some(&message.topic) {
                continue;
            }
            let said = reader.format.decode(Message { payload: &message.payload, is_retained: message.retain });
            match reader.sum.take(place, said.and_then(|sample| listener.accept(sample, Timestamp::now()))) {
                Ok(None) => {}
                Ok(Some(sum)) => link.hears(listener, Ok(sum)),
                Err(error) => link.hears(listener, Err(error)),
            }
        }
    }
}

fn reason(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => "the broker refuses the user or the password".into(),
        ConnectionError::NetworkTimeout | ConnectionError::MqttState(StateError::AwaitPingResp) => "no answer".into(),
        error => error.to_string(),
    }
}
