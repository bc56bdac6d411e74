package scri_test

import (
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

func TestLoss(t *testing.T) {
	for _, c := range []struct {
		w    scri.Warning
		want bool
	}{
		{scri.Warning{Code: "added", Path: "/max_tokens"}, false},
		{scri.Warning{Code: "emulated", Path: "/reasoning/effort"}, false},
		{scri.Warning{Code: "dropped", Path: "/seed"}, true},
		{scri.Warning{Code: "dropped", Path: "/metadata/team"}, true},
		{scri.Warning{Code: "dropped", Path: "/ext/context_management"}, true},
		{scri.Warning{Code: "dropped", Path: "/messages/0/content/1"}, true},
		{scri.Warning{Code: "dropped", Path: "/messages/0/content/1/cache"}, false},
		{scri.Warning{Code: "dropped", Path: "/messages/0/content/1/cache/ttl"}, false},
		{scri.Warning{Code: "dropped", Path: "/messages/0/content/1/signature"}, false},
		{scri.Warning{Code: "dropped", Path: "/messages/0/content/1/result/name"}, false},
		{scri.Warning{Code: "dropped", Path: "/messages/0/name"}, true},
		{scri.Warning{Code: "changed", Path: "/messages/0/content/1/call/id", From: "a", To: "b"}, false},
		{scri.Warning{Code: "changed", Path: "/messages/0/content/1/result/call_id", From: "a", To: "b"}, false},
		{scri.Warning{Code: "changed", Path: "/messages/0/role", From: "developer", To: "system"}, false},
		{scri.Warning{Code: "changed", Path: "/messages/3/role", From: "system", To: "user"}, true},
		{scri.Warning{Code: "changed", Path: "/messages/3/content/0", From: "tool_result", To: "text"}, true},
		{scri.Warning{Code: "changed", Path: "/messages/3/content/0"}, false},
		{scri.Warning{Code: "changed", Path: "/messages/3/content"}, false},
		{scri.Warning{Code: "changed", Path: "/messages/3/content/0/media/url", From: "url", To: "data"}, false},
		{scri.Warning{Code: "changed", Path: "/messages/3/content/0/kind", From: "refusal", To: "text"}, false},
		{scri.Warning{Code: "changed", Path: "/temperature", To: "1"}, true},
		{scri.Warning{Code: "changed", Path: "/reasoning/effort", From: "xhigh", To: "high"}, true},
		{scri.Warning{Code: "changed", Path: ""}, true},
	} {
		if got := c.w.Loss(); got != c.want {
			t.Errorf("%+v: %v", c.w, got)
		}
	}
}
