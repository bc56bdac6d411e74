// Package provider reaches the places where models run. A provider is data: an
// entry of the catalogue (see catalogue/*.yaml and docs/providers.md) together
// with what the configuration says, a dialect, and a transport of its own.
//
// # Leaving
//
// Every request passes one RoundTripper that sends nothing unless the request's
// context carries a [Permit] for exactly the provider's zone and host. Health
// probes and model lists are no exception. Redirects are never followed, since
// they could lead out of the zone.
//
// The address that is really dialled is checked once more, after names were
// resolved:
//
//   - cloud metadata services are never reached, whatever the zone;
//   - zone local reaches loopback, private and link-local addresses, never public ones,
//     and never goes through a proxy;
//   - zone private goes where its base_url leads;
//   - zone cloud reaches public addresses only. The one exception is a base_url
//     that itself names a loopback host ("localhost", 127.0.0.1, [::1]), which
//     is what simulators and local proxies need: the operator wrote it, and it
//     opens that host and no other;
//   - a proxy, being the operator's choice too, may have any address but a
//     metadata service's; names are then resolved by the proxy.
//
// # Time
//
// Dialling, the TLS handshake, the wait for headers, for the first token,
// between tokens and in total are limited each by itself; see [Timeouts]. One
// timer serves an attempt, and no goroutine does.
package provider
