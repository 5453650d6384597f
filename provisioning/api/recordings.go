package api

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/postgres"
)

// RecordingInput names a recording.
type RecordingInput struct {
	Recording string `path:"recording" maxLength:"256" doc:"The call's id, a dot and a number."`
}

// recordings are what was recorded of calls. Messages are in their boxes.
func (a *API) recordings() {
	tags, base := []string{"recordings"}, "/v1/tenants/{tenant}/recordings"
	Add(a, RecordingsRead, huma.Operation{OperationID: "list-recordings", Method: http.MethodGet, Path: base, Summary: "List the recordings of calls, the newest first", Tags: tags},
		func(ctx context.Context, in *struct {
			ListInput
			Call  string    `query:"call" maxLength:"64" doc:"Of one call, by Tandem's id of it."`
			From  string    `query:"from" maxLength:"256" doc:"Of one caller." example:"+493012345678"`
			Since time.Time `query:"since"`
			Until time.Time `query:"until"`
		}) (*PageOutput[postgres.CallRecording], error) {
			q := in.Query(map[string]string{"call": in.Call, "from": in.From, "since": stamp(in.Since), "until": stamp(in.Until), "tenant": TenantOf(ctx)})
			if q.Sort == "" {
				q.Sort = "-at"
			}
			p, err := postgres.List(ctx, a.Service.Store, postgres.CallRecordings(), q)
			return shownPage(p, err, shownRecording)
		})
	Add(a, RecordingsRead, huma.Operation{OperationID: "get-recording", Method: http.MethodGet, Path: base + "/{recording}", Summary: "Show what is known of a recording", Tags: tags},
		func(ctx context.Context, in *RecordingInput) (*One[postgres.CallRecording], error) {
			r, err := a.Service.CallRecording(ctx, TenantOf(ctx), in.Recording)
			return OneOf(shownRecording(r), err)
		})
	AddHandler[Nothing, Nothing](a, RecordingsRead, huma.Operation{OperationID: "get-recording-sound", Method: http.MethodGet, Path: base + "/{recording}/sound", Summary: "Hear a recording", Tags: tags,
		Parameters: []*huma.Param{Parameter("path", "recording", "", "Id of the recording.")}, Responses: SoundResponse()}, func(c *gin.Context) {
		r, err := a.Service.CallRecording(c.Request.Context(), c.Param("tenant"), c.Param("recording"))
		if err != nil {
			a.Fail(c, err)
			return
		}
		a.sendRecorded(c, r.ID, r.At, r.SHA256, r.File)
	})
	Add(a, RecordingsWrite, huma.Operation{OperationID: "delete-recording", Method: http.MethodDelete, Path: base + "/{recording}", Summary: "Delete a recording",
		Description: "Its sound goes a day later; until then the change can be undone.", Tags: tags},
		func(ctx context.Context, in *RecordingInput) (*None, error) {
			return nil, a.Service.RemoveCallRecording(ctx, TenantOf(ctx), in.Recording)
		})
}

func shownRecording(r postgres.CallRecording) postgres.CallRecording {
	r.At = r.At.UTC()
	return r
}

// sendRecorded answers with what a media node has recorded, filed (by its hash) or not yet (by its file).
func (a *API) sendRecorded(c *gin.Context, id string, at time.Time, hash, file string) {
	sounds := a.Service.Sounds
	if sounds == nil {
		a.Fail(c, ErrNoMediaFolder())
		return
	}
	var sound io.ReadSeekCloser
	var err error = fs.ErrNotExist
	switch {
	case hash != "":
		sound, err = sounds.Open(hash)
	case file != "":
		sound, err = sounds.OpenIncoming(file)
	}
	a.SendSound(c, id+".wav", at, sound, err)
}
