//! fork(2) and waitpid(2), for the test of this package and nothing else.

use std::io;

/// Runs `child` in a forked process, which ends with the status that it returns; gives the parent the
/// status of that end, or what killed it as 128 and the signal's number.
///
/// # Errors
/// What the system says.
pub fn in_a_child(child: impl FnOnce() -> i32) -> io::Result<i32> {
    // SAFETY: fork has no preconditions of its own. What the child does before it ends may use locks
    // that another thread held at the fork: glibc takes care of its own (malloc), and those of the code
    // under test are what the test is about.
    #[expect(unsafe_code, reason = "fork(2) can be had in no other way")]
    let process = unsafe { libc::fork() };
    match process {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let ending = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
            std::process::exit(ending.unwrap_or(101))
        }
        process => wait(process),
    }
}

fn wait(process: libc::pid_t) -> io::Result<i32> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is a valid place for an int for as long as the call lasts.
        #[expect(unsafe_code, reason = "waitpid(2): std waits for its own children only")]
        let ended = unsafe { libc::waitpid(process, &mut status, 0) };
        if ended == process {
            return Ok(match libc::WIFSIGNALED(status) {
                true => 128 + libc::WTERMSIG(status),
                false => libc::WEXITSTATUS(status),
            });
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
