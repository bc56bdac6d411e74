// Package scri is the language in which every dialect meets: requests, answers,
// streams and errors of a chat with a language model, without the habits of any
// provider. A client dialect is decoded into it, a provider's dialect is encoded
// from it, and everything between the two sees nothing else.
//
// Trees of these types are shared between attempts and goroutines: whoever
// changes one copies the nodes on the way to the change first. Bytes behind
// [Text] and [RawJSON] are never changed by anybody.
//
// # Canonical forms
//
// Dialects spell the same thing in different ways. So that trees from different
// dialects can be compared, decoders agree on these forms:
//
//   - A wire null says nothing: it is absent here, and kept only as a member of
//     Ext so that the same dialect can write it again.
//   - System and developer text are messages in their place (a separate system
//     field comes first).
//   - A tool's result is a part of kind tool_result. Its message has the role
//     tool where the dialect has that role, and user where it has not; how
//     parts are grouped into neighbouring messages of one speaker says nothing.
//   - Thinking comes before text, text before refusals, refusals before tool
//     calls where a dialect keeps them in separate fields without an order.
//   - Counts of [Usage] are totals that contain their parts.
//   - Image data URLs are split into a media type and base64 data.
//
// How a dialect spelled what the typed fields say ("max_tokens" or
// "max_completion_tokens", a string or a list) is kept in Ext.Form, which no
// other dialect reads and whose loss loses nothing.
package scri
