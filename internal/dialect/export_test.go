package dialect

// Clear makes the desk ready for the next request.
func (d *Desk) Clear() { d.clear() }
