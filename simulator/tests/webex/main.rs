//! The simulator over real sockets: what it takes, what it refuses, how calls go and what goes wrong on demand.

#[cfg(test)]
mod configuration;
#[cfg(test)]
mod control;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod house;
#[cfg(test)]
mod lives;
#[cfg(test)]
mod program;
#[cfg(test)]
mod scheduled;
#[cfg(test)]
mod search;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod webhooks;
