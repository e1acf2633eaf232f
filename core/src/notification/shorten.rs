//! Cutting texts that are too long for a service.

use unicode_segmentation::UnicodeSegmentation;

use super::content::Text;
use super::loss::{Loss, LossKind};
use super::notification::Notification;
use crate::error::{Error, ErrorKind};

/// The mark of a text that was cut.
const ELLIPSIS: &str = "…";

const REASON: &str = "too long for the service";

/// Cuts the body, then the subtitle, then the title, as little as needed for `attempt` to succeed. `attempt` is
/// given the shorter notification and the losses so far; `too_large` is what it says to the whole one.
///
/// The service's own check decides, so that no limit and no way of counting is written twice.
pub(super) fn to_fit<T>(
    notification: &Notification,
    too_large: Error,
    attempt: impl Fn(&Notification, &[Loss]) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut shorter = notification.clone();
    let mut losses = Vec::new();
    let mut error = too_large;
    for field in ["body", "subtitle", "title"] {
        let Some(text) = plain(&shorter, field) else {
            continue;
        };
        let starts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
        losses.push(Loss {
            field,
            platform: None,
            kind: LossKind::Shortened,
            reason: REASON,
        });
        let mut with = |kept: usize| {
            set(
                &mut shorter,
                field,
                cut(&text, starts.get(kept).copied().unwrap_or(text.len())),
            );
            attempt(&shorter, &losses)
        };
        // The most characters that fit lie in `fits..too_many`; even none may be too many.
        let mut best = match with(0) {
            Ok(made) => made,
            Err(failed) if failed.kind() == ErrorKind::PayloadTooLarge => {
                error = failed;
                continue;
            }
            Err(failed) => return Err(failed),
        };
        let (mut fits, mut too_many) = (0, starts.len());
        while too_many - fits > 1 {
            let middle = fits + (too_many - fits) / 2;
            match with(middle) {
                Ok(made) => (fits, best) = (middle, made),
                Err(failed) if failed.kind() == ErrorKind::PayloadTooLarge => too_many = middle,
                Err(failed) => return Err(failed),
            }
        }
        return Ok(best);
    }
    Err(error)
}

/// The text up to a boundary between characters, with an ellipsis and without the white space before the ellipsis.
fn cut(text: &str, end: usize) -> String {
    let kept = text.get(..end).unwrap_or(text).trim_end();
    format!("{kept}{ELLIPSIS}")
}

fn plain(notification: &Notification, field: &str) -> Option<String> {
    text(notification, field)?.plain.clone()
}

fn text<'a>(notification: &'a Notification, field: &str) -> Option<&'a Text> {
    match field {
        "title" => notification.title.as_ref(),
        "subtitle" => notification.subtitle.as_ref(),
        _ => notification.body.as_ref(),
    }
}

fn set(notification: &mut Notification, field: &str, shorter: String) {
    let place = match field {
        "title" => &mut notification.title,
        "subtitle" => &mut notification.subtitle,
        _ => &mut notification.body,
    };
    if let Some(text) = place {
        text.plain = Some(shorter);
    }
}
