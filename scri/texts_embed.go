package scri

// EmbedTexts is [Texts] for an embed request.
func EmbedTexts(r *EmbedRequest, visit func(path, text string)) {
	w := reader(visit)
	w.embed(r)
}

// EditEmbedTexts is [EditTexts] for an embed request.
func EditEmbedTexts(r *EmbedRequest, edit func(path, text string) (string, bool)) (*EmbedRequest, error) {
	w := walker{edit: edit, strict: true}
	out := w.embed(r)
	if w.err != nil {
		return nil, w.err
	}
	return out, nil
}

func (w *walker) embed(r *EmbedRequest) *EmbedRequest {
	c := cow[EmbedRequest]{v: r}
	if v, ok := each(w, "input", r.Input, (*walker).embedInput); ok {
		c.own().Input = v
	}
	if v, ok := w.str("user", r.User); ok {
		c.own().User = v
	}
	if v, ok := inside(w, "ext", r.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) embedInput(in *EmbedInput) *EmbedInput {
	c := cow[EmbedInput]{v: in}
	if v, ok := w.text("text", in.Text); ok {
		c.own().Text = v
	}
	if v, ok := each(w, "content", in.Parts, (*walker).part); ok {
		c.own().Parts = v
	}
	if v, ok := w.text("title", in.Title); ok {
		c.own().Title = v
	}
	if v, ok := inside(w, "ext", in.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}
