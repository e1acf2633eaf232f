//! Many hosts, as Web Push has them: connections are made once, none is let go that is still wanted, and descriptors that run out
//! are waited for.

use std::process::Command;
use std::time::Duration;

use pushcore::Now;
use pushcore::net::Security;
use pushcore::session::{Session, SessionConfig};
use pushcore_tests::origins::{host, message, policy, service};
use pushcore_tests::sim::{Act, Answer, Dial, Script, Server, World};

fn taken() -> Script {
    Script::new(|_, _| vec![Act::Answer(Answer::status(201))])
}

/// Sends `each` messages to each of `hosts` hosts in turn; returns the connections that were made.
fn connections(hosts: usize, each: usize, most: usize, in_turn: bool) -> usize {
    let policy = policy(hosts, 443);
    let shared = policy.clone();
    let mut world = World::of(
        1,
        move |config| {
            config.max_hosts = most;
            config.deadline = Duration::from_secs(600);
        },
        move |config: SessionConfig, now: Now| {
            let service = service(shared.clone());
            Session::new(service, Security::Cleartext, config, now).expect("a session")
        },
        move |number| {
            let to = match in_turn {
                true => number % hosts,
                false => number / each,
            };
            message(&policy, &host(to, 443), number).into()
        },
        |_, _, _| Dial::Connects(taken()),
    );
    world.submit((hosts * each) as u64);
    let stats = world.finish();
    assert_eq!(stats.accepted as usize, hosts * each, "{stats:?}");
    world.dials().len()
}

/// With room for all of them, each host is connected to once, whatever the order.
#[test]
fn each_host_is_connected_to_once() {
    assert_eq!(connections(60, 6, 1000, true), 60);
    assert_eq!(connections(60, 6, 1000, false), 60);
}

/// With room for a fifth of them: everything that waits for a host goes out before it is let go, and what is waiting is most of
/// the campaign.
#[test]
fn a_host_is_not_let_go_while_messages_wait_for_it() {
    let (hosts, each) = (60, 6);
    let sorted = connections(hosts, each, 12, false);
    assert_eq!(sorted, hosts, "one after the other");
    let in_turn = connections(hosts, each, 12, true);
    // All messages fit into the queue, so that a host that has its turn gets all of its messages.
    assert!(in_turn <= hosts + 12, "{in_turn} connections for {hosts} hosts");
}

/// `ulimit -n 80` with 200 hosts: the messages wait until connections are closed, and none is lost.
#[cfg(target_os = "linux")]
#[test]
fn descriptors_that_run_out_are_waited_for() {
    let server = Server::start_at([0, 0, 0, 0], 1, None, |_| taken());
    let child = Command::new("sh")
        .args(["-c", "ulimit -n 80 && exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_few-descriptors"))
        .arg(server.address().port().to_string())
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&child.stderr)
    );
    assert!(text.contains("2000 accepted"), "{text}");
    assert!(
        !text.contains(" 0 times"),
        "there were enough descriptors: {text}"
    );
}
