package gateway

import (
	"context"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// Providers remember errors and hand them to several requests.
func TestErrorsThatAreSharedAreNotWritten(t *testing.T) {
	shared := &scri.Error{Kind: scri.ErrUnavailable, Message: "remembered"}
	run := metered(&Gateway{}, func(context.Context, *call) (scri.Stream, error) { return nil, shared })
	_, err := run(t.Context(), &call{Exchange: &scri.Exchange{ID: "one"}})
	if shared.RequestID != "" || scri.AsError(err).RequestID != "one" {
		t.Errorf("remembered: %q, told: %v", shared.RequestID, err)
	}
}
