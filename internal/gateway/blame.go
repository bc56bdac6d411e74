package gateway

import (
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// blamed keeps a client from being told that a model is unknown which it did not
// name: where the targets came from the configuration, a model that its provider
// does not know is the operator's business, and to the client nobody is there.
func (c *call) blamed(err error) error {
	e := scri.AsError(err)
	if e.Kind != scri.ErrNotFound || len(e.Attempts) == 0 || c.named(&e.Attempts[len(e.Attempts)-1]) {
		return err
	}
	out := *e
	out.Kind, out.Status, out.Code, out.Path, out.Raw = scri.ErrUnavailable, 0, "", "", nil
	if out.Hint == "" {
		out.Hint = "the gateway's configuration names a model that the provider does not have"
	}
	return &out
}

// named reports whether the client named the model of an attempt itself.
func (c *call) named(a *scri.Attempt) bool {
	for _, t := range c.plan.Targets {
		if t.Asked && t.Provider == a.Provider && t.Model == a.Model {
			return true
		}
	}
	plain := func(s string) string { return strings.TrimSuffix(s, ":latest") }
	asked := plain(c.Model())
	return asked == plain(a.Model) || asked == a.Provider+":"+plain(a.Model) || asked == a.Provider+"/"+plain(a.Model)
}
