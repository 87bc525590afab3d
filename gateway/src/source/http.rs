//! A device that is asked for its values by HTTP, again and again.
//!
//! A certificate has to be of a known authority: one that the device signed itself proves nothing. HomeWizard's second
//! interface has only such a one; its first, http://ADDRESS/api/v1/data, has the same registers, and its own MQTT or a
//! bridge to it are other ways.

use std::io::Read;
use std::time::Duration;

use jiff::Timestamp;
use ureq::http::header::{AUTHORIZATION, LOCATION};
use ureq::Agent;

use super::{secret, Link};
use crate::config::Http;
use crate::input::json::{Message, MOST_BYTES};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Whatever is configured: a device with a small processor has to answer others too.
const LEAST_EVERY: Duration = Duration::from_millis(100);

pub fn run(http: &Http, link: &mut Link) {
    let config = Agent::config_builder().timeout_global(Some(TIMEOUT)).max_redirects(0).http_status_as_error(false);
    let agent = config.proxy(None).build().new_agent();
    while !link.is_stopped() {
        match get(&agent, http) {
            Ok(payload) => {
                link.is_up();
                let read = http.format.decode(Message { payload: &payload, is_retained: false });
                for listener in &link.listeners {
                    link.hears(listener, read.clone().and_then(|sample| listener.accept(sample, Timestamp::now())));
                }
            }
            Err(reason) => link.is_down(&format!("{}: {reason}", http.url)),
        }
        if link.waits(http.every.max(LEAST_EVERY)) {
            return;
        }
    }
}

fn get(agent: &Agent, http: &Http) -> Result<Vec<u8>, String> {
    let mut request = agent.get(&http.url);
    if let Some(file) = &http.authorization_file {
        request = request.header(AUTHORIZATION, secret(file)?);
    }
    let mut response = request.call().map_err(reason)?;
    let status = response.status();
    if status.is_redirection() {
        let target = response.headers().get(LOCATION).map_or("elsewhere".into(), |target| format!("{target:?}"));
        return Err(format!("it sends the gateway to {target}: configure the address that answers by itself"));
    }
    if status == 401 || status == 403 {
        let hint = if http.authorization_file.is_some() { "another" } else { "an" };
        return Err(format!("it answers {status}: it wants {hint} authorization_file"));
    }
    if !status.is_success() {
        return Err(format!("it answers {status}"));
    }
    // One byte more than there may be: the decoder says that it is too long.
    let mut payload = vec![];
    let mut body = response.body_mut().as_reader().take(MOST_BYTES as u64 + 1);
    body.read_to_end(&mut payload).map_err(|error| reason(error.into()))?;
    Ok(payload)
}

fn reason(error: ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("no answer within {} s", TIMEOUT.as_secs()),
        error => error.to_string(),
    }
}
