//! `delay_proxy PORT TARGET MILLIS` hands on what comes to PORT to TARGET with a round trip of MILLIS: what every client of
//! `benches/round_trips.py` is measured through.

use std::time::Duration;

use pushcore::Error;
use pushcore_benches::{failed, proxy};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| arguments.get(at).map_or("", String::as_str);
    let port = word(0).parse().map_err(failed)?;
    let millis: u64 = word(2).parse().map_err(failed)?;
    let listener = proxy::listen(port).map_err(failed)?;
    println!("listening on {}", listener.local_addr().map_err(failed)?);
    proxy::serve(&listener, word(1), Duration::from_micros(millis * 500));
    Ok(())
}
