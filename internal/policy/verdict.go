// Package policy decides where a request may go. Today that is the zone check;
// rules, data classes and the proof at load come on top of the same Verdict.
package policy

import (
	"fmt"

	"github.com/aratta-gateway/aratta/scri"
)

// Zone is how far away a target is, in terms of trust.
type Zone string

// The zones, nearest first.
const (
	Local   Zone = "local"   // this machine, or hardware of the user's own declared as such
	Private Zone = "private" // the organisation's own network
	Cloud   Zone = "cloud"   // somebody else's
)

// rank orders zones; an unknown zone is farther than all.
func (z Zone) rank() int {
	switch z {
	case Local:
		return 0
	case Private:
		return 1
	case Cloud:
		return 2
	default:
		return 3
	}
}

// Verdict says where one request may go. The zero Verdict allows nothing.
type Verdict struct {
	farthest Zone
	reason   string
}

// Input is what a verdict depends on.
type Input struct {
	Sovereign bool // the caller or the asked model demands that nothing leaves zone local
}

// Decide returns the verdict for a request. It is decided before any byte is
// sent and holds for all attempts.
func Decide(in Input) Verdict {
	if in.Sovereign {
		return Verdict{farthest: Local, reason: "sovereign: nothing may leave zone local"}
	}
	return Verdict{farthest: Cloud}
}

// Sovereign reports whether nothing may leave zone local.
func (v Verdict) Sovereign() bool { return v.farthest == Local }

// Allows returns nil if the request may go to a target of the zone, else an
// error of kind policy that says why not.
func (v Verdict) Allows(z Zone) error {
	if v.farthest != "" && z.rank() <= v.farthest.rank() {
		return nil
	}
	reason := v.reason
	if reason == "" {
		reason = "no verdict allows it"
	}
	return &scri.Error{
		Kind: scri.ErrPolicy, Message: fmt.Sprintf("zone %s is closed to this request (%s)", z, reason),
		Hint: "ask for a model of a nearer zone",
	}
}

// Permit is the permission of one attempt to leave for one host of one zone. It
// travels with the request down to where it leaves the process.
type Permit struct {
	zone Zone
	host string
}

// Permit returns the permission for an attempt at the host (host:port as in a
// URL) of the zone, if the verdict allows the zone.
func (v Verdict) Permit(z Zone, host string) (*Permit, error) {
	if err := v.Allows(z); err != nil {
		return nil, err
	}
	return &Permit{zone: z, host: host}, nil
}

// Permits returns nil if the permission is for this zone and host, else an
// error of kind policy.
func (p *Permit) Permits(zone, host string) error {
	if p != nil && string(p.zone) == zone && p.host == host {
		return nil
	}
	return &scri.Error{Kind: scri.ErrPolicy, Message: fmt.Sprintf("no verdict permits this request to leave for %s in zone %s", host, zone)}
}
