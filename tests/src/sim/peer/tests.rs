use super::super::frame::code;
use super::super::hpack;
use super::super::script::Last;
use super::*;

/// A client made of literals.
struct Client {
    peer: Peer,
    reader: Reader,
}

impl Client {
    fn new(script: Script) -> Self {
        let peer = Peer::new(script, Log::default(), Rng::new(1), Duration::ZERO);
        let mut client = Self {
            peer,
            reader: Reader::default(),
        };
        client.say(
            &[
                PREFACE,
                &frame::settings(&[]),
                &frame::frame(kind::SETTINGS, flag::ACK, 0, &[]),
            ]
            .concat(),
        );
        client
    }

    fn say(&mut self, bytes: &[u8]) {
        self.peer.receive(bytes, Duration::ZERO);
    }

    fn push(&mut self, stream: u32, number: usize) {
        let path = super::super::log::path_of(number);
        let fields = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "a"),
            (":path", path.as_str()),
        ];
        self.say(&frame::headers(stream, true, &hpack::block(&fields)));
    }

    fn heard(&mut self) -> Vec<Frame> {
        let bytes = self.peer.take_output();
        self.reader.push(&bytes);
        std::iter::from_fn(|| self.reader.next_frame()).collect()
    }
}

#[test]
fn answers_and_logs() {
    let mut client = Client::new(Script::accepting());
    client.push(1, 7);
    let frames = client.heard();
    assert_eq!(
        frames.iter().map(|frame| frame.kind).collect::<Vec<_>>(),
        [4, 4, 1]
    );
    assert_eq!(frames[2].payload, [0x88]);
    assert_eq!(
        (client.peer.log.processed(7), client.peer.log.processed(6)),
        (1, 0)
    );
    assert_eq!(client.peer.log.violations(), Vec::<String>::new());
}

#[test]
fn knows_what_it_has_not_processed() {
    let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
        1 => vec![Act::Process],
        2 => vec![Act::Reset(code::REFUSED_STREAM)],
        _ => vec![Act::GoAway(Last::Processed, 0, b"bye".to_vec()), Act::Close],
    };
    let mut client = Client::new(Script::new(respond));
    for nth in 0..3 {
        client.push(1 + 2 * nth, nth as usize);
    }
    let frames = client.heard();
    assert_eq!(frames[2], parse(&frame::reset(3, 7)));
    assert_eq!(frames[3], parse(&frame::goaway(1, 0, b"bye")));
    assert_eq!(client.peer.end(), Some(End::Closed));
    let processed: Vec<u32> = (0..3).map(|number| client.peer.log.processed(number)).collect();
    assert_eq!(processed, [1, 0, 0]);
}

fn parse(bytes: &[u8]) -> Frame {
    frame::parse(bytes).expect("a frame").0
}

#[test]
#[should_panic(expected = "acted on stream 1")]
fn refuses_a_script_that_breaks_its_word() {
    let acts = |_: &Seen, _: &mut Rng| vec![Act::Process, Act::GoAway(Last::Id(0), 0, Vec::new())];
    Client::new(Script::new(acts)).push(1, 0);
}

#[test]
fn catches_a_client_that_breaks_the_rules() {
    let mut client = Client::new(Script::new(|_, _| Vec::new()).streams(1));
    client.push(1, 0);
    client.push(3, 1);
    client.push(3, 1);
    client.say(&frame::data(5, true, b"x"));
    let violations = client.peer.log.violations();
    assert_eq!(violations.len(), 3, "{violations:?}");
}

#[test]
fn respects_the_windows_of_the_client() {
    let mut client = Client::new(Script::new(|_, _| {
        vec![Act::Answer(Answer::status(400).with_body(vec![b'x'; 70_000]))]
    }));
    client.push(1, 0);
    let size = |frames: &[Frame]| {
        frames
            .iter()
            .filter(|f| f.kind == 0)
            .map(|f| f.payload.len())
            .sum::<usize>()
    };
    let frames = client.heard();
    assert_eq!(size(&frames), 65_535);
    client.say(&frame::window_update(0, 10_000));
    assert_eq!(size(&client.heard()), 0);
    client.say(&frame::window_update(1, 10_000));
    let frames = client.heard();
    assert_eq!(size(&frames), 4465);
    assert!(frames.last().is_some_and(|frame| frame.has(flag::END_STREAM)));
}

#[test]
fn waits_in_virtual_time() {
    let wait = Duration::from_secs(3);
    let acts = move |_: &Seen, _: &mut Rng| vec![Act::Wait(wait), Act::Answer(Answer::ok())];
    let mut client = Client::new(Script::new(acts));
    client.push(1, 0);
    client.heard();
    assert_eq!(client.peer.poll_timeout(), Some(wait));
    client.peer.handle_timeout(wait - Duration::from_nanos(1));
    assert!(client.heard().is_empty());
    client.peer.handle_timeout(wait);
    assert_eq!(client.heard().len(), 1);
}
