// Package wire reads and writes what travels between HTTP peers below any
// dialect: JSON documents, walked without copying them, and the frames of
// streams (server-sent events, newline-delimited JSON). It knows no provider.
package wire
