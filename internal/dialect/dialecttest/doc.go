// Package dialecttest holds what the tests of dialects share: a reader of the
// recorded provider traffic, a structural difference of requests and answers
// that is compared with the warnings of a translation, and the laws that every
// dialect keeps, as functions that return what breaks them.
//
// Its own tests run the laws over every recorded exchange and every pair of
// dialects and keep docs/conformance.md.
package dialecttest
