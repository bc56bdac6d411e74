package policy_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/scri"
)

func TestVerdict(t *testing.T) {
	sovereign := policy.Decide(policy.Input{Sovereign: true})
	open := policy.Decide(policy.Input{})
	for _, c := range []struct {
		name    string
		verdict policy.Verdict
		zone    policy.Zone
		allowed bool
	}{
		{"sovereign stays local", sovereign, policy.Local, true},
		{"sovereign does not go to the private zone", sovereign, policy.Private, false},
		{"sovereign does not go to a cloud", sovereign, policy.Cloud, false},
		{"others may go to a cloud", open, policy.Cloud, true},
		{"an unknown zone is closed to all", open, "moon", false},
		{"no verdict, nowhere to go", policy.Verdict{}, policy.Local, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.verdict.Allows(c.zone)
			if (err == nil) != c.allowed {
				t.Fatalf("Allows(%s) = %v, want allowed %v", c.zone, err, c.allowed)
			}
			if err != nil && scri.AsError(err).Kind != scri.ErrPolicy {
				t.Errorf("kind = %s, want policy", scri.AsError(err).Kind)
			}
		})
	}
}

// A permit opens the one door it was made for and no other.
func TestPermitFitsOneDoor(t *testing.T) {
	zone := rapid.SampledFrom([]policy.Zone{policy.Local, policy.Private, policy.Cloud})
	host := rapid.StringMatching(`[a-c]\.example:(80|443)`)
	rapid.Check(t, func(t *rapid.T) {
		z, h := zone.Draw(t, "zone"), host.Draw(t, "host")
		p, err := policy.Decide(policy.Input{}).Permit(z, h)
		if err != nil {
			t.Fatal(err)
		}
		z2, h2 := zone.Draw(t, "other zone"), host.Draw(t, "other host")
		if got, want := p.Permits(string(z2), h2) == nil, z == z2 && h == h2; got != want {
			t.Fatalf("permit for %s %s at %s %s: %v, want %v", z, h, z2, h2, got, want)
		}
	})
	var none *policy.Permit
	if none.Permits("local", "a.example:80") == nil {
		t.Error("no permit, yet permitted")
	}
}
