//! Resolves names to addresses that messages may go to, and to no other. Judged here, where the connection is made, and
//! not before: a name may resolve to one address when it is looked at and to another a moment later.

use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::network::{is_allowed, is_public};

/// Which addresses may be reached.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    allowed: Arc<[IpNet]>,
    public: bool,
}

/// No address of the name may be reached.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no address that webhooks may go to")]
struct NotAllowed;

impl Resolver {
    /// A resolver for these networks, and for public addresses where they are reached in a safe way.
    pub(super) fn new(allowed: &[IpNet], public: bool) -> Self {
        Self { allowed: allowed.into(), public }
    }

    fn may_be_reached(&self, address: &SocketAddr) -> bool {
        is_allowed(address.ip(), &self.allowed) || (self.public && is_public(address.ip()))
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<_> = found.filter(|address| resolver.may_be_reached(address)).collect();
            if addresses.is_empty() {
                return Err(NotAllowed.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_of_this_machine_is_resolved_only_where_it_is_allowed() {
        let allowed: [IpNet; 2] = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        for (allowed, public, resolves) in [(&[][..], true, false), (&allowed[..], false, true)] {
            let resolver = Resolver::new(allowed, public);
            let found = resolver.resolve("localhost".parse().unwrap()).await;
            assert_eq!(found.is_ok_and(|mut addresses| addresses.next().is_some()), resolves);
        }
    }
}
