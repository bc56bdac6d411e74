package dialect

import (
	"github.com/aratta-gateway/aratta/scri"
)

// Keeper is the optional part of a dialect whose clients name answers by their
// ids: to go on from them, to read them again, to delete them.
type Keeper interface {
	// Keep says what the client wants kept of the exchange of the id, whose decoded
	// request is in.Req. It refuses what nobody here would keep.
	Keep(in *Incoming, id string) (*scri.Keeping, error)
	// EncodeKept writes what the client asked of a kept answer at in.Route; nil is one
	// that is not there. It fails in the dialect's own words.
	EncodeKept(in *Incoming, k *Kept) ([]byte, error)
}

// Kept is an answer that was kept.
type Kept struct {
	Request  *scri.ChatRequest
	Response *scri.ChatResponse
	// Input is what was answered to: the conversation before, and what was asked.
	Input func() []scri.Message
}

// Made is in all ids that this gateway gives to what clients may name. No
// provider has such.
const Made = "_aratta_"

// keep asks the dialect what is to be kept of the exchange.
func (a *reply) keep() error {
	k, ok := a.d.(Keeper)
	if !ok || !a.opt.Keeps || a.x.Op != scri.OpChat {
		return nil
	}
	var err error
	a.x.Keep, err = k.Keep(&a.in, a.x.ID)
	return err
}
