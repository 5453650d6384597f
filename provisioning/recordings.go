package provisioning

import (
	"context"
	"errors"

	"tandem/postgres"
)

// CallRecording gives what was recorded of a call. id is as lists give it.
func (s *Service) CallRecording(ctx context.Context, tenantID, id string) (postgres.CallRecording, error) {
	r, err := s.Store.CallRecording(ctx, tenantID, id)
	return r, noRecording(err)
}

// RemoveCallRecording takes one away. Its sound goes a day later; until then the change can be undone.
func (s *Service) RemoveCallRecording(ctx context.Context, tenantID, id string) error {
	return s.platform(ctx, func(tx *postgres.Tx) error { return noRecording(tx.DeleteCallRecording(ctx, tenantID, id)) })
}

func noRecording(err error) error {
	if errors.Is(err, postgres.ErrNotFound) {
		return missing("recording", "there is no such recording in this tenant")
	}
	return err
}
