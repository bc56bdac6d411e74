package dialect

import "github.com/aratta-gateway/aratta/scri"

// Size is about how many bytes a request takes in any dialect, so that the memory
// for it does not have to grow.
func Size(req *scri.ChatRequest) int {
	n := 1024 + extSize(req.Ext)
	for i := range req.Messages {
		n += 64 + partsSize(req.Messages[i].Parts)
	}
	for i := range req.Tools {
		t := &req.Tools[i]
		n += 128 + len(t.Schema) + t.Description.Size() + extSize(t.Ext)
	}
	if req.Format != nil {
		n += len(req.Format.Schema)
	}
	return n + n/32
}

func partsSize(parts []scri.Part) int {
	n := 0
	for i := range parts {
		p := &parts[i]
		n += 48 + p.Text.Size() + len(p.Raw) + extSize(p.Ext)
		if p.Media != nil {
			n += 128 + p.Media.Data.Size() + p.Media.Text.Size() + p.Media.URL.Size()
		}
		if p.Call != nil {
			n += 96 + p.Call.Args.Size()
		}
		if p.Result != nil {
			n += 96 + partsSize(p.Result.Parts)
		}
		if p.Signature != nil {
			n += p.Signature.Value.Size()
		}
	}
	return n
}

func extSize(e *scri.Ext) int {
	if e == nil {
		return 0
	}
	return len(e.Members)
}
