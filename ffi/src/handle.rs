//! Opaque handles: the one way in which values live on the other side of the boundary.
//!
//! A handle is the address of a [`Slot`] that is never given back to the allocator. A pointer that was freed before,
//! or that is of another type, is therefore told apart without reading memory that is gone.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use pushcore::{Error, ErrorKind};

use crate::guard::{Failure, NULL_ARGUMENT};

/// The number of slots that are allocated at a time: 16 KiB.
const CHUNK: usize = 1024;

/// The number of freed slots that rest before the first of them is used again, so that a program which frees twice, or uses what it has
/// freed, meets the dead slot and not somebody else's value.
const RESTING: usize = 1024;

/// A panic was caught while the value was in use: it may be half changed.
const POISONED: u32 = 1 << 31;
/// Somebody changes the value.
const EXCLUSIVE: u32 = 1 << 30;
/// The handle was freed; the last one who is still in the value drops it.
const DEAD: u32 = 1 << 29;
/// The number of those who read the value.
const READERS: u32 = DEAD - 1;

/// The number of handles that have been given out and not freed.
static LIVE: AtomicUsize = AtomicUsize::new(0);

static FREE: Mutex<VecDeque<&'static Slot>> = Mutex::new(VecDeque::new());

/// A type that C holds by an opaque pointer.
pub(crate) trait Handle: Sized + Send + 'static {
    /// The mark by which a pointer to another type is recognised. Never 0.
    const TAG: u32;
    /// The type's name in C.
    const NAME: &'static str;
}

/// Implements [`Handle`] for types, each with its mark.
macro_rules! handles {
    ($($type:ty = $tag:literal $name:literal,)*) => {
        $(impl $crate::handle::Handle for $type {
            const TAG: u32 = 0x7043_0000 | $tag;
            const NAME: &'static str = $name;
        })*
    };
}
pub(crate) use handles;

#[repr(C)]
struct Slot {
    tag: AtomicU32,
    state: AtomicU32,
    value: AtomicPtr<()>,
}

impl Slot {
    const fn empty() -> Self {
        Self {
            tag: AtomicU32::new(0),
            state: AtomicU32::new(DEAD),
            value: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    /// # Safety
    /// The slot holds a `T`, is dead, and nobody is in it.
    unsafe fn drop_value<T: Handle>(&'static self) {
        let value = self
            .value
            .swap(std::ptr::null_mut(), Ordering::AcqRel)
            .cast::<T>();
        if value.is_null() {
            return;
        }
        // SAFETY: it came from Box::into_raw in `put`, and the swap hands it out once.
        let value = unsafe { Box::from_raw(value) };
        // A destructor that panics must not unwind into C.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(value)));
        LIVE.fetch_sub(1, Ordering::Relaxed);
        if let Some(mut free) = free_slots() {
            free.push_back(self);
        }
    }
}

/// The list of free slots; `None` when it cannot be had soon. In the child of a fork another thread of the parent may
/// have held it for good: a slot more or less is nothing beside a child that hangs.
fn free_slots() -> Option<MutexGuard<'static, VecDeque<&'static Slot>>> {
    for _ in 0..10_000 {
        match FREE.try_lock() {
            Ok(free) => return Some(free),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    None
}

fn empty_slot() -> &'static Slot {
    if let Some(mut free) = free_slots() {
        if free.len() <= RESTING {
            let chunk: Vec<Slot> = (0..CHUNK).map(|_| Slot::empty()).collect();
            // New ones are used before those that rest.
            for slot in Box::leak(chunk.into_boxed_slice()) {
                free.push_front(slot);
            }
        }
        if let Some(slot) = free.pop_front() {
            return slot;
        }
    }
    Box::leak(Box::new(Slot::empty()))
}

/// Puts a value where C can hold it.
pub(crate) fn put<T: Handle>(value: T) -> *mut T {
    let slot = empty_slot();
    slot.value
        .store(Box::into_raw(Box::new(value)).cast(), Ordering::Relaxed);
    slot.tag.store(T::TAG, Ordering::Relaxed);
    slot.state.store(0, Ordering::Release);
    LIVE.fetch_add(1, Ordering::Relaxed);
    std::ptr::from_ref(slot).cast_mut().cast()
}

/// The number of handles that have been given out and not freed.
pub(crate) fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

fn misuse<T: Handle>(name: &str, what: &str) -> Failure {
    Error::new(ErrorKind::Misuse, format!("{name}, a {}, {what}", T::NAME)).into()
}

/// # Safety
/// `pointer` is null, or was a handle once, or points to eight readable bytes.
unsafe fn slot<T: Handle>(pointer: *const T, name: &str) -> Result<&'static Slot, Failure> {
    if pointer.is_null() {
        return Err(Failure::new(NULL_ARGUMENT, format!("{name} is null")));
    }
    let slot = pointer.cast::<Slot>();
    if !slot.is_aligned() {
        return Err(misuse::<T>(name, "is no handle"));
    }
    // SAFETY: not null and aligned. Slots are never given back; what is not a slot is readable by the caller's promise, and
    // only its first word is read.
    let slot = unsafe { &*slot };
    match slot.tag.load(Ordering::Acquire) {
        tag if tag == T::TAG => Ok(slot),
        _ => Err(misuse::<T>(name, "is a pointer to something else")),
    }
}

fn refusal<T: Handle>(name: &str, state: u32) -> Failure {
    let what = match state {
        state if state & DEAD != 0 => "was freed",
        state if state & POISONED != 0 => "was in use when a panic was caught: it can only be freed",
        _ => "is in use by another thread",
    };
    misuse::<T>(name, what)
}

/// A value that is being read. Others may read it at the same time.
pub(crate) struct Shared<'a, T: Handle> {
    slot: &'static Slot,
    value: &'a T,
    was_panicking: bool,
}

impl<T: Handle> Deref for Shared<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value
    }
}

impl<T: Handle> Shared<'_, T> {
    /// The value for as long as its handle lives: for views into it.
    pub(crate) fn lasting<'b>(&self) -> &'b T {
        // SAFETY: the value stays where it is until its handle is freed, and the header says that views end then.
        unsafe { &*std::ptr::from_ref(self.value) }
    }
}

impl<T: Handle> Drop for Shared<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.was_panicking {
            self.slot.state.fetch_or(POISONED, Ordering::AcqRel);
        }
        let before = self.slot.state.fetch_sub(1, Ordering::AcqRel);
        if before & DEAD != 0 && before & READERS == 1 {
            // SAFETY: dead, and this was the last one in it.
            unsafe { self.slot.drop_value::<T>() };
        }
    }
}

/// Looks at a value.
///
/// # Safety
/// As [`slot`].
pub(crate) unsafe fn borrow<'a, T: Handle>(
    pointer: *const T,
    name: &'static str,
) -> Result<Shared<'a, T>, Failure> {
    // SAFETY: the caller's promise.
    let slot = unsafe { slot(pointer, name) }?;
    let mut state = slot.state.load(Ordering::Relaxed);
    loop {
        if state & (POISONED | EXCLUSIVE | DEAD) != 0 || state & READERS == READERS {
            return Err(refusal::<T>(name, state));
        }
        let entered =
            slot.state
                .compare_exchange_weak(state, state + 1, Ordering::Acquire, Ordering::Relaxed);
        match entered {
            Ok(_) => break,
            Err(now) => state = now,
        }
    }
    // SAFETY: the tag says that it is a `T`, and it lives while somebody is in it.
    let value = unsafe { &*slot.value.load(Ordering::Acquire).cast::<T>() };
    Ok(Shared {
        slot,
        value,
        was_panicking: std::thread::panicking(),
    })
}

/// A value that is being changed, by one at a time.
pub(crate) struct Exclusive<'a, T: Handle> {
    slot: &'static Slot,
    value: *mut T,
    was_panicking: bool,
    lifetime: PhantomData<&'a mut T>,
}

impl<T: Handle> Deref for Exclusive<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the state says that nobody else is in it.
        unsafe { &*self.value }
    }
}

impl<T: Handle> DerefMut for Exclusive<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the state says that nobody else is in it.
        unsafe { &mut *self.value }
    }
}

impl<T: Handle> Drop for Exclusive<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.was_panicking {
            self.slot.state.fetch_or(POISONED, Ordering::AcqRel);
        }
        let before = self.slot.state.fetch_and(!EXCLUSIVE, Ordering::AcqRel);
        if before & DEAD != 0 {
            // SAFETY: dead, and this was the only one in it.
            unsafe { self.slot.drop_value::<T>() };
        }
    }
}

/// Takes a value to change it.
///
/// # Safety
/// As [`slot`].
pub(crate) unsafe fn borrow_mut<'a, T: Handle>(
    pointer: *mut T,
    name: &'static str,
) -> Result<Exclusive<'a, T>, Failure> {
    // SAFETY: the caller's promise.
    let slot = unsafe { slot(pointer.cast_const(), name) }?;
    let entered = slot
        .state
        .compare_exchange(0, EXCLUSIVE, Ordering::Acquire, Ordering::Relaxed);
    match entered {
        Ok(_) => Ok(Exclusive {
            slot,
            value: slot.value.load(Ordering::Acquire).cast(),
            was_panicking: std::thread::panicking(),
            lifetime: PhantomData,
        }),
        Err(state) => Err(refusal::<T>(name, state)),
    }
}

/// Frees a handle. Null, a handle that was freed before and a pointer to another type are left alone. A value that another thread is in
/// is dropped when that thread leaves it.
///
/// # Safety
/// As [`slot`].
pub(crate) unsafe fn free<T: Handle>(pointer: *mut T) {
    // SAFETY: the caller's promise.
    let Ok(slot) = (unsafe { slot(pointer.cast_const(), "handle") }) else {
        return;
    };
    let before = slot.state.fetch_or(DEAD, Ordering::AcqRel);
    if before & (DEAD | EXCLUSIVE | READERS) == 0 {
        // SAFETY: it died here, and nobody is in it.
        unsafe { slot.drop_value::<T>() };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Barrier;

    use super::*;
    use crate::guard::{OK, PANIC, Status};

    struct Value(
        u32,
        #[allow(dead_code, reason = "it counts what is alive")] Arc<()>,
    );
    struct Other;
    handles! {
        Value = 0xfff0 "pushcore_value",
        Other = 0xfff1 "pushcore_other",
    }

    fn value() -> (*mut Value, Arc<()>) {
        let alive = Arc::new(());
        (put(Value(7, Arc::clone(&alive))), alive)
    }

    fn said(failure: Result<impl Sized, Failure>) -> (Status, String) {
        match failure {
            Ok(_) => panic!("it is no failure"),
            Err(failure) => (failure.status, failure.message),
        }
    }

    #[test]
    fn a_handle_that_was_freed_is_known() {
        let (handle, alive) = value();
        // SAFETY: a live handle, then a dead one.
        unsafe {
            assert_eq!(borrow(handle.cast_const(), "value").map(|v| v.0).ok(), Some(7));
            free(handle);
            assert_eq!(Arc::strong_count(&alive), 1);
            free(handle);
            let (status, message) = said(borrow(handle.cast_const(), "value"));
            assert_eq!(
                (status, message.as_str()),
                (800, "value, a pushcore_value, was freed")
            );
            assert_eq!(said(borrow_mut(handle, "value")).0, 800);
        }
    }

    #[test]
    fn null_and_other_types_are_known() {
        let other = put(Other);
        // SAFETY: null, a handle of another type, and an odd address that is not read.
        unsafe {
            assert_eq!(said(borrow::<Value>(std::ptr::null(), "value")).0, NULL_ARGUMENT);
            let (status, message) = said(borrow(other.cast::<Value>().cast_const(), "value"));
            assert_eq!(status, 800);
            assert!(message.contains("something else"), "{message}");
            assert_eq!(
                said(borrow(
                    other.cast::<u8>().add(1).cast::<Value>().cast_const(),
                    "value"
                ))
                .0,
                800
            );
            free(other.cast::<Value>());
            assert!(borrow(other.cast_const(), "other").is_ok());
            free(other);
        }
    }

    #[test]
    fn readers_share_and_a_writer_does_not() {
        let (handle, _alive) = value();
        // SAFETY: a live handle.
        unsafe {
            let first = borrow(handle.cast_const(), "value").ok();
            let second = borrow(handle.cast_const(), "value").ok();
            assert!(first.is_some() && second.is_some());
            let (status, message) = said(borrow_mut(handle, "value"));
            assert_eq!(status, 800);
            assert!(message.contains("in use"), "{message}");
            drop((first, second));
            let writer = borrow_mut(handle, "value").ok();
            assert!(writer.is_some());
            assert_eq!(said(borrow(handle.cast_const(), "value")).0, 800);
            assert_eq!(said(borrow_mut(handle, "value")).0, 800);
            drop(writer);
            free(handle);
        }
    }

    #[test]
    fn a_value_in_use_outlives_its_free() {
        for exclusive in [false, true] {
            let (handle, alive) = value();
            // SAFETY: a live handle, freed while it is in use.
            unsafe {
                if exclusive {
                    let writer = borrow_mut(handle, "value").ok();
                    free(handle);
                    assert_eq!(Arc::strong_count(&alive), 2);
                    drop(writer);
                } else {
                    let reader = borrow(handle.cast_const(), "value").ok();
                    free(handle);
                    assert_eq!(Arc::strong_count(&alive), 2);
                    drop(reader);
                }
            }
            assert_eq!(Arc::strong_count(&alive), 1);
        }
    }

    #[test]
    fn after_a_panic_only_free_works() {
        for exclusive in [false, true] {
            let (handle, alive) = value();
            // SAFETY: a live handle; no error object is asked for.
            unsafe {
                let status = crate::guard::guard(std::ptr::null_mut(), || {
                    if exclusive {
                        let mut value = borrow_mut(handle, "value")?;
                        value.0 = 8;
                        panic!("on purpose");
                    }
                    let _value = borrow(handle.cast_const(), "value")?;
                    panic!("on purpose");
                });
                assert_eq!(status, PANIC);
                let (status, message) = said(borrow(handle.cast_const(), "value"));
                assert_eq!(status, 800);
                assert!(message.contains("panic"), "{message}");
                assert_eq!(said(borrow_mut(handle, "value")).0, 800);
                free(handle);
            }
            assert_eq!(Arc::strong_count(&alive), 1);
        }
    }

    #[test]
    fn a_slot_rests_before_it_is_used_again() {
        let (first, _alive) = value();
        // SAFETY: live handles.
        unsafe {
            free(first);
            for _ in 0..RESTING / 2 {
                let (next, _alive) = value();
                assert_ne!(next, first);
                free(next);
            }
            assert_eq!(said(borrow(first.cast_const(), "value")).0, 800);
        }
    }

    /// Many threads fight for one handle; whoever gets in is alone.
    #[test]
    fn threads_exclude_each_other() {
        let (handle, alive) = value();
        let address = handle as usize;
        let start = Arc::new(Barrier::new(4));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let start = Arc::clone(&start);
                std::thread::spawn(move || {
                    start.wait();
                    let mut entered = 0_u32;
                    for _ in 0..10_000 {
                        let handle = address as *mut Value;
                        // SAFETY: the handle lives until the threads have ended.
                        if let Ok(mut value) = unsafe { borrow_mut(handle, "value") } {
                            let before = value.0;
                            value.0 = before + 1;
                            entered += 1;
                        }
                    }
                    entered
                })
            })
            .collect();
        let entered: u32 = threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum();
        // SAFETY: a live handle, which nobody is in any more.
        unsafe {
            assert_eq!(
                borrow(handle.cast_const(), "value").map(|v| v.0).ok(),
                Some(7 + entered)
            );
            free(handle);
        }
        assert_eq!(Arc::strong_count(&alive), 1);
        assert_eq!(OK, 0);
    }
}
