//! The process that the session is in is killed.

use pushcore::net::Processed;

use super::World;

impl World {
    /// SIGKILL, and a new process: all that is left is what the caller's journal has for each
    /// message, which is what [`Session::unfinished`] said last. What had been written to a
    /// socket still arrives. What the journal calls not processed is submitted once more; what may
    /// have been is, too, when `resend` says so, and else has its end in the journal. Returns
    /// how many there were of each.
    pub fn kill(&mut self, resend: bool) -> (u64, u64) {
        let journal: Vec<_> = self.session.unfinished().collect();
        for (_, mut wire) in std::mem::take(&mut self.wires) {
            wire.orphan();
            self.orphans.push(wire);
        }
        self.dialling.clear();
        self.session = (self.make)(self.config.clone(), self.now);
        let (mut no, mut unknown) = (0, 0);
        self.book.new_process();
        self.book.at_most_once &= !resend;
        for (ticket, processed) in journal {
            let again = match processed {
                Processed::No => {
                    no += 1;
                    true
                }
                Processed::Unknown => {
                    unknown += 1;
                    resend
                }
            };
            match self.book.interrupted(ticket, processed, again, &self.log) {
                Ok(number) if again => self.again.push_back(number),
                Ok(_) => {}
                Err(text) => self.fail(&text),
            }
        }
        self.backlog += self.again.len() as u64;
        self.settle();
        (no, unknown)
    }
}
