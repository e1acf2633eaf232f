//! `few-descriptors PORT` sends 2,000 messages to 200 hosts of this machine, and says how many were accepted and how often there was no
//! descriptor for a connection: for a test that starts it with few of them.

use pushcore::net::Security;
use pushcore::{Error, ErrorKind};
use pushcore_client::{Client, ClientConfig};
use pushcore_tests::origins::{host, message, policy, service};

const HOSTS: usize = 200;
const MESSAGES: usize = 2000;

fn main() -> Result<(), Error> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let port: u16 = port.ok_or_else(|| Error::new(ErrorKind::InvalidValue, "the port of the servers?"))?;
    let policy = policy(HOSTS, port);
    let mut config = ClientConfig::new();
    config.security = Some(Security::Cleartext);
    let client = Client::new(service(policy.clone()), config)?;
    let messages = (0..MESSAGES).map(|number| message(&policy, &host(number % HOSTS, port), number));
    let (mut accepted, mut missed) = (0, 0);
    for (_, result) in client.send_many(messages) {
        accepted += usize::from(result?.is_accepted());
        while let Some(event) = client.poll_event() {
            missed += usize::from(event.parts().code == Some(u32::from(ErrorKind::OutOfDescriptors.code())));
        }
    }
    println!("{accepted} accepted, {missed} times without a descriptor");
    Ok(())
}
