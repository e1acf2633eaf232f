//! Bytes, text, time and option structs across the boundary.

use std::mem::MaybeUninit;
use std::time::Duration;

use pushcore::{Error, ErrorKind, Now, UnixTime};

use crate::guard::{Failure, INVALID_LENGTH, NULL_ARGUMENT};

/// The largest struct that a caller may say to have: above that, `struct_size` was not set.
const LARGEST_STRUCT: usize = 4096;

/// Bytes that somebody else owns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    /// The first byte; may be NULL when `len` is 0.
    pub data: *const u8,
    /// The number of bytes.
    pub len: usize,
}

impl View {
    /// The view of nothing.
    pub(crate) const EMPTY: View = View {
        data: std::ptr::null(),
        len: 0,
    };

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    pub(crate) fn of_text(text: Option<&str>) -> Self {
        text.map_or(Self::EMPTY, |text| Self::of(text.as_bytes()))
    }

    #[cfg(feature = "net")]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// # Safety
    /// `data` points to `len` readable bytes that nobody changes during the call, or `len` is 0.
    pub(crate) unsafe fn bytes<'a>(self, name: &str) -> Result<&'a [u8], Failure> {
        // SAFETY: the caller's promise is the same.
        unsafe { array(self.data, self.len, name) }
    }

    /// # Safety
    /// As [`View::bytes`].
    pub(crate) unsafe fn text<'a>(self, name: &str) -> Result<&'a str, Failure> {
        // SAFETY: the caller's promise is the same.
        let bytes = unsafe { self.bytes(name) }?;
        std::str::from_utf8(bytes).map_err(|_| {
            let context = format!("{name} is not utf-8");
            Failure::from(Error::new(ErrorKind::InvalidUtf8, context))
        })
    }

    /// The text; `None` where it is empty.
    ///
    /// # Safety
    /// As [`View::bytes`].
    pub(crate) unsafe fn optional<'a>(self, name: &str) -> Result<Option<&'a str>, Failure> {
        // SAFETY: the caller's promise is the same.
        let text = unsafe { self.text(name) }?;
        Ok((!text.is_empty()).then_some(text))
    }
}

/// A name and its text.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Pair {
    /// The name.
    pub name: View,
    /// The text.
    pub value: View,
}

impl Pair {
    /// # Safety
    /// As [`View::bytes`], for both.
    pub(crate) unsafe fn texts<'a>(self, name: &str) -> Result<(&'a str, &'a str), Failure> {
        // SAFETY: the caller's promise.
        unsafe { Ok((self.name.text(name)?, self.value.text(name)?)) }
    }
}

/// The items of an array. One that is NULL, not aligned or impossibly long is refused; an empty one may be NULL.
///
/// # Safety
/// `data` points to `len` readable items that nobody changes during the call, or `len` is 0.
pub(crate) unsafe fn array<'a, T>(data: *const T, len: usize, name: &str) -> Result<&'a [T], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::new(NULL_ARGUMENT, format!("{name} is null")));
    }
    let fits = len
        .checked_mul(size_of::<T>().max(1))
        .is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if !fits || !data.is_aligned() {
        let context = format!("the length of {name} is impossible");
        return Err(Failure::new(INVALID_LENGTH, context));
    }
    // SAFETY: not null, aligned, the length fits, and the caller keeps the items alive and unchanged.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// Checks an array that is written to: the same rules as for one that is read.
#[cfg(feature = "net")]
pub(crate) fn room<T>(to: *mut T, capacity: usize, name: &str) -> Result<(), Failure> {
    // SAFETY: the items need not be initialised, and are not read.
    unsafe { array(to.cast_const().cast::<std::mem::MaybeUninit<T>>(), capacity, name) }.map(drop)
}

/// Copies as many items as there is room for into an array of the caller's.
///
/// # Safety
/// `to` points to `capacity` writable items, or `capacity` is 0.
#[cfg(feature = "net")]
pub(crate) unsafe fn copy<T: Copy>(
    from: &[T],
    to: *mut T,
    capacity: usize,
    name: &str,
) -> Result<(), Failure> {
    room(to, capacity, name)?;
    let count = capacity.min(from.len());
    if count > 0 {
        // SAFETY: `to` is not null, aligned, and has room for `capacity` items, which are the caller's.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to, count) };
    }
    Ok(())
}

/// Texts of an array of views.
///
/// # Safety
/// As [`array`] and [`View::bytes`], for each.
pub(crate) unsafe fn texts<'a>(
    data: *const View,
    len: usize,
    name: &'static str,
) -> Result<Vec<&'a str>, Failure> {
    // SAFETY: the caller's promise.
    let views = unsafe { array(data, len, name) }?;
    // SAFETY: the caller's promise.
    views.iter().map(|view| unsafe { view.text(name) }).collect()
}

/// A struct that begins with `struct_size` and grows at its end.
///
/// # Safety
/// The type is `repr(C)`, its first field is a `u32` called `struct_size`, and zero bytes are a value of it.
pub(crate) unsafe trait Versioned: Copy {
    /// The size of the first version that was published; 0 of `struct_size` counts as too small.
    const FIRST: usize;
}

/// Reads an option struct of whatever version the caller was compiled with: fields that it lacks are zero, and fields that
/// this version does not know have to be.
///
/// # Safety
/// `pointer` is null, or readable for the number of bytes that its first field says.
pub(crate) unsafe fn options<T: Versioned>(pointer: *const T, name: &'static str) -> Result<T, Failure> {
    let misuse = |what: &str| Failure::from(Error::new(ErrorKind::Misuse, format!("{name}: {what}")));
    if pointer.is_null() {
        return Err(Failure::new(NULL_ARGUMENT, format!("{name} is null")));
    }
    let bytes = pointer.cast::<u8>();
    // The size comes first and alone: a caller built against an older header owns fewer bytes.
    // SAFETY: the caller's promise; a struct has at least its first field.
    let size = unsafe { bytes.cast::<u32>().read_unaligned() } as usize;
    if size < T::FIRST {
        return Err(misuse("struct_size is too small: set it to sizeof"));
    }
    if size > LARGEST_STRUCT {
        return Err(misuse("struct_size is impossible: set it to sizeof"));
    }
    let known = size.min(size_of::<T>());
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: both have at least `known` bytes, and they do not overlap.
    unsafe { std::ptr::copy_nonoverlapping(bytes, value.as_mut_ptr().cast::<u8>(), known) };
    // SAFETY: the caller owns `size` bytes.
    let unknown = unsafe { std::slice::from_raw_parts(bytes.add(known), size - known) };
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(misuse(
            "a field is set that this version of the library does not know",
        ));
    }
    // SAFETY: zero bytes are a value, and so is what the caller filled in.
    Ok(unsafe { value.assume_init() })
}

/// [`options`] that may be NULL: every field is zero then.
///
/// # Safety
/// As [`options`].
pub(crate) unsafe fn optional<T: Versioned>(pointer: *const T, name: &'static str) -> Result<T, Failure> {
    if pointer.is_null() {
        // SAFETY: zero bytes are a value.
        return Ok(unsafe { MaybeUninit::<T>::zeroed().assume_init() });
    }
    // SAFETY: the caller's promise.
    unsafe { options(pointer, name) }
}

/// Writes a struct that begins with `struct_size` to a caller of whatever version: as many bytes as the caller has, and zeroes
/// where the caller knows fields that this version lacks.
///
/// # Safety
/// `out` is null, or readable and writable for the number of bytes that its first field says.
pub(crate) unsafe fn fill<T: Versioned>(out: *mut T, value: &T, name: &'static str) -> Result<(), Failure> {
    if out.is_null() {
        return Err(Failure::new(NULL_ARGUMENT, format!("{name} is null")));
    }
    let bytes = out.cast::<u8>();
    // SAFETY: the caller's promise; a struct has at least its first field.
    let size = unsafe { bytes.cast::<u32>().read_unaligned() } as usize;
    if !(T::FIRST..=LARGEST_STRUCT).contains(&size) {
        let context = format!("{name}: struct_size is not sizeof");
        return Err(Error::new(ErrorKind::Misuse, context).into());
    }
    let first = size_of::<u32>();
    let known = size.min(size_of::<T>());
    // SAFETY: both have at least `known` bytes. `struct_size` stays as the caller set it.
    unsafe {
        let from = std::ptr::from_ref(value).cast::<u8>();
        std::ptr::copy_nonoverlapping(from.add(first), bytes.add(first), known - first);
        std::ptr::write_bytes(bytes.add(known), 0, size - known);
    }
    Ok(())
}

/// Refuses bits that this version does not know.
pub(crate) fn known_bits(bits: u32, known: u32, name: &str) -> Result<(), Failure> {
    match bits & !known {
        0 => Ok(()),
        _ => {
            let context = format!("{name} has a bit that this version does not know");
            Err(Error::new(ErrorKind::Misuse, context).into())
        }
    }
}

/// A number whose presence is a bit of a `set` mask. One that is not zero and not in the mask was forgotten there: refused.
pub(crate) fn in_set<T: Copy + PartialEq + Default>(
    set: u32,
    bit: u32,
    value: T,
    name: &str,
) -> Result<Option<T>, Failure> {
    match (set & bit != 0, value == T::default()) {
        (true, _) => Ok(Some(value)),
        (false, true) => Ok(None),
        (false, false) => {
            let context = format!("{name} has a value, but its bit is not in set");
            Err(Error::new(ErrorKind::Misuse, context).into())
        }
    }
}

/// A number that is none of a list of constants.
pub(crate) fn no_such(name: &str) -> Failure {
    Error::new(
        ErrorKind::InvalidValue,
        format!("{name} is none of its constants"),
    )
    .into()
}

/// The time on the caller's clocks.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CNow {
    /// Milliseconds since an epoch of the caller's choice; never goes backwards.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
}

impl From<CNow> for Now {
    fn from(now: CNow) -> Self {
        Now::new(
            Duration::from_millis(now.monotonic_ms),
            UnixTime::from_millis(now.unix_ms),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Default, PartialEq, Debug)]
    struct Second {
        struct_size: u32,
        old: u32,
        new: u64,
    }
    // SAFETY: repr(C), begins with struct_size, zeroes are a value.
    unsafe impl Versioned for Second {
        const FIRST: usize = 8;
    }

    fn read(bytes: &[u64]) -> Result<Second, Failure> {
        // SAFETY: the struct_size of each test is at most what it owns.
        unsafe { options(bytes.as_ptr().cast::<Second>(), "options") }
    }

    #[test]
    fn a_struct_of_any_version_is_read() {
        let old = u64::from(8_u32) | 5 << 32;
        assert_eq!(
            read(&[old]).ok(),
            Some(Second {
                struct_size: 8,
                old: 5,
                new: 0
            })
        );
        let same = u64::from(16_u32) | 5 << 32;
        assert_eq!(
            read(&[same, 9]).ok(),
            Some(Second {
                struct_size: 16,
                old: 5,
                new: 9
            })
        );
        let newer = u64::from(24_u32) | 5 << 32;
        assert_eq!(
            read(&[newer, 9, 0]).ok(),
            Some(Second {
                struct_size: 24,
                old: 5,
                new: 9
            })
        );
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        let newer = u64::from(24_u32) | 5 << 32;
        for bytes in [&[newer, 9, 1][..], &[7][..], &[0][..], &[u64::from(u32::MAX)][..]] {
            assert_eq!(read(bytes).err().map(|failure| failure.status), Some(800));
        }
        // SAFETY: null is allowed.
        let null = unsafe { options(std::ptr::null::<Second>(), "options") };
        assert_eq!(null.err().map(|failure| failure.status), Some(NULL_ARGUMENT));
    }

    #[test]
    fn a_struct_is_filled_as_far_as_its_owner_has_room() {
        let value = Second {
            struct_size: 0,
            old: 5,
            new: 9,
        };
        for (size, expected) in [
            (8_u32, [8 | 5 << 32, 77, 77]),
            (16, [16 | 5 << 32, 9, 77]),
            (24, [24 | 5 << 32, 9, 0]),
        ] {
            let mut bytes = [u64::from(size), 77, 77];
            // SAFETY: the array owns 24 bytes.
            let filled = unsafe { fill(bytes.as_mut_ptr().cast::<Second>(), &value, "out") };
            assert!(filled.is_ok());
            assert_eq!(bytes, expected);
        }
    }

    #[test]
    fn a_value_outside_the_set_was_forgotten() {
        assert_eq!(in_set(1, 1, 0_u32, "badge").ok(), Some(Some(0)));
        assert_eq!(in_set(0, 1, 0_u32, "badge").ok(), Some(None));
        assert_eq!(in_set(0, 1, 5_u32, "badge").err().map(|f| f.status), Some(800));
    }
}
