// Package overlay patches what travels between the gateway and a provider: the
// wire JSON, headers and address of a request, the body of an answer, the events
// of a stream. An overlay is data, versioned, with the evidence that called for
// it; docs/overlays.md is its manual and drift between what a dialect writes and
// what a server takes is its reason.
//
// # Life
//
// [Parse] reads overlays from YAML and compiles them; [NewSet] makes a set of
// them; an [Active] holds the set in force, which [Set.For] narrows to a [Plan]
// for one provider and model. A plan that is nil has nothing to do. [Plan.Begin]
// opens a [Run] for one attempt: it edits the request, then the answer, and
// remembers between the two what must be undone.
//
// # What an edit touches
//
// Bodies are never decoded. A tree is laid over their bytes as far as a path
// leads; what no op names is copied byte for byte, members and elements keep
// their order, and a body that no op changes is returned as it is. An answer that
// is not JSON is left to its dialect.
//
// # Who may write what
//
// An overlay comes from somewhere (see [Origin]). What was healed, and so was
// not written by a person, cannot name another address, another host, another
// dialect, or a header that proves who asks.
package overlay
