// Package sdktest holds tests alone: the official Go SDKs of OpenAI, Anthropic,
// Ollama and Google as clients of a running gateway, in front of simulated providers of
// every dialect. It is a module of its own so that the gateway does not depend
// on the SDKs.
//
// The program is built by the tests, which Go's test cache does not see: run
// them with -count=1, as make test does.
package sdktest
