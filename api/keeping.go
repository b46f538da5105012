package api

import "earshot/models/blob"

// filesLocation is the data folder, which one server has alone, unless another place
// is set.
func (s *Server) filesLocation() blob.Location {
	if s.config.Files != (blob.Location{}) {
		return s.config.Files
	}
	return blob.Location{Folder: s.config.DataDir}
}
