//! One message on its way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pushcore::service::MessageRef;
use pushcore::session::SendOptions;
use pushcore::{Error, Outcome};
use pushcore_client::{Patience, now};
use tokio::time::{Sleep, sleep};

use crate::client::Client;
use crate::shared::Single;

/// A message on its way: made by [`Client::send`], ends with the service's answer. Dropping it cancels the message.
#[must_use = "nothing is sent unless the future is awaited"]
pub struct Sending<'a> {
    client: &'a Client,
    message: MessageRef<'a>,
    options: SendOptions,
    step: Step,
}

enum Step {
    Begin,
    /// Waiting for room in the queue.
    Line {
        place: Option<u64>,
        patience: Patience,
        timer: Pin<Box<Sleep>>,
    },
    Sent(Single),
    Over,
}

impl<'a> Sending<'a> {
    pub(crate) fn new(client: &'a Client, message: MessageRef<'a>, options: SendOptions) -> Self {
        Self {
            client,
            message,
            options,
            step: Step::Begin,
        }
    }
}

impl Future for Sending<'_> {
    type Output = Result<Outcome, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let shared = this.client.shared();
        loop {
            match &mut this.step {
                Step::Begin => {
                    let mut state = shared.lock();
                    let deadline = this.options.deadline;
                    let deadline = deadline.unwrap_or(state.session.config().deadline);
                    let (options, mut place) = (this.options.deadline(deadline), None);
                    match state.submit(this.message, options, &mut place, now(), context) {
                        Poll::Ready(Ok(single)) => this.step = Step::Sent(single),
                        Poll::Ready(Err(error)) => {
                            this.step = Step::Over;
                            return Poll::Ready(Err(error));
                        }
                        Poll::Pending => {
                            drop(state);
                            this.step = Step::Line {
                                place,
                                patience: Patience::new(deadline),
                                timer: Box::pin(sleep(deadline)),
                            };
                        }
                    }
                }
                Step::Line {
                    place,
                    patience,
                    timer,
                } => {
                    let late = timer.as_mut().poll(context).is_ready();
                    let mut state = shared.lock();
                    if late {
                        state.leave_line(place);
                        drop(state);
                        this.step = Step::Over;
                        return Poll::Ready(Err(Patience::expired()));
                    }
                    let options = this.options.deadline(patience.left());
                    match state.submit(this.message, options, place, now(), context) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Ok(single)) => this.step = Step::Sent(single),
                        Poll::Ready(Err(error)) => {
                            this.step = Step::Over;
                            return Poll::Ready(Err(error));
                        }
                    }
                }
                Step::Sent(single) => {
                    let polled = shared.lock().poll_single(*single, context);
                    if polled.is_ready() {
                        this.step = Step::Over;
                    }
                    return polled;
                }
                // A future that is polled after its end.
                Step::Over => return Poll::Pending,
            }
        }
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        match &mut self.step {
            Step::Line { place, .. } => self.client.shared().lock().leave_line(place),
            Step::Sent(single) => self.client.shared().lock().forget_single(*single, now()),
            Step::Begin | Step::Over => {}
        }
    }
}

impl fmt::Debug for Sending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}
