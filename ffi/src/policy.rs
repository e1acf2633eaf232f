//! The hosts that Web Push messages may be sent to.

use pushcore::http::Authority;
use pushcore::webpush;

use crate::error::ErrorObject;
use crate::guard::{Failure, Status, entry, give, value};
use crate::handle::{borrow, free, handles};
use crate::view::{Versioned, View, array, known_bits, optional, texts};

/// The endpoints of subscriptions that are accepted: without one, those of the public push services. Immutable; may be shared between
/// threads.
pub struct EndpointPolicy {
    policy: webpush::EndpointPolicy,
}

handles! {
    EndpointPolicy = 5 "pushcore_endpoint_policy",
}

/// Every host with a public address is accepted.
pub const PUSHCORE_POLICY_ANY_PUBLIC_HOST: u32 = 1;

/// What is accepted beside the public push services.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EndpointPolicyOptions {
    /// sizeof(pushcore_endpoint_policy_options).
    pub struct_size: u32,
    /// PUSHCORE_POLICY_ constants.
    pub flags: u32,
    /// Hosts with public addresses, and their subdomains.
    pub hosts: *const View,
    /// The number of `hosts`.
    pub host_count: usize,
    /// Ports beside 443.
    pub ports: *const u16,
    /// The number of `ports`.
    pub port_count: usize,
    /// Hosts, as `host:port`, that are accepted whatever their address: a server of one's own, or the sandbox.
    pub trusted: *const View,
    /// The number of `trusted`.
    pub trusted_count: usize,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for EndpointPolicyOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes a policy; `options` may be NULL for the default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_endpoint_policy_new(
    options: *const EndpointPolicyOptions,
    out: *mut *mut EndpointPolicy,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let options = optional(options, "options")?;
        known_bits(options.flags, PUSHCORE_POLICY_ANY_PUBLIC_HOST, "flags")?;
        let mut policy = webpush::EndpointPolicy::default();
        for host in texts(options.hosts, options.host_count, "hosts")? {
            policy = policy.allow_host(host);
        }
        for port in array(options.ports, options.port_count, "ports")? {
            policy = policy.allow_port(*port);
        }
        if options.flags & PUSHCORE_POLICY_ANY_PUBLIC_HOST != 0 {
            policy = policy.allow_any_public_host();
        }
        for trusted in texts(options.trusted, options.trusted_count, "trusted")? {
            policy = policy.trust(Authority::parse(trusted)?);
        }
        give(out, EndpointPolicy { policy })
    })
}

/// The policy of the caller, or the default for NULL.
///
/// # Safety
/// `policy` is NULL or a handle.
pub(crate) unsafe fn policy(policy: *const EndpointPolicy) -> Result<webpush::EndpointPolicy, Failure> {
    if policy.is_null() {
        return Ok(webpush::EndpointPolicy::default());
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { borrow(policy, "policy") }?.policy.clone())
}

/// Gives the policy back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_endpoint_policy_free(policy: *mut EndpointPolicy) {
    value!((), { free(policy) });
}
