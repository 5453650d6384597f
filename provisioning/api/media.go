package api

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/postgres"
	"tandem/provisioning"
)

// Bounds of sounds over HTTP.
const (
	maxSoundBody = 16 << 20 // bytes; package media has the same
	soundWait    = 2 * time.Minute
)

// MediaInput names one.
type MediaInput struct {
	Conditional
	Media string `path:"media" maxLength:"64"`
}

// MediaBody is what may be changed of one.
type MediaBody struct {
	Name     string `json:"name" minLength:"1" maxLength:"128" example:"menu/main"`
	Language string `json:"language,omitempty" maxLength:"6" example:"de-AT" doc:"Absent: any."`
	Kind     string `json:"kind" enum:"prompt,greeting,music"`
}

// wavOnly says what is taken.
const wavOnly = "A WAV file of one channel with 8,000 or 16,000 samples a second: PCM of 16 bits, A-law or u-law; 16 MB at most. Anything else is refused, and the answer says how to convert it."

// media are the sounds that a tenant brings.
func (a *API) media() {
	tags, base := []string{"media"}, "/v1/tenants/{tenant}/media"
	Add(a, MediaRead, huma.Operation{OperationID: "list-media", Method: http.MethodGet, Path: base, Summary: "List prompts, greetings and music", Tags: tags},
		func(ctx context.Context, in *struct {
			ListInput
			Name     string `query:"name" maxLength:"128"`
			Language string `query:"language" maxLength:"6"`
			Kind     string `query:"kind" enum:"prompt,greeting,music"`
		}) (*PageOutput[postgres.MediaRow], error) {
			p, err := postgres.List(ctx, a.Service.Store, postgres.Media(), in.Query(map[string]string{"name": in.Name, "language": in.Language, "kind": in.Kind, "tenant": TenantOf(ctx)}))
			return shownPage(p, err, shownMedia)
		})
	Add(a, MediaWrite, huma.Operation{OperationID: "add-media", Method: http.MethodPost, Path: base, Summary: "Bring a sound", Description: wavOnly, Tags: tags, DefaultStatus: http.StatusCreated,
		MaxBodyBytes: maxSoundBody, BodyReadTimeout: soundWait},
		func(ctx context.Context, in *struct {
			Name     string `query:"name" required:"true" minLength:"1" maxLength:"128" example:"menu/main" doc:"By which flows play it."`
			Language string `query:"language" maxLength:"6" example:"de-AT" doc:"Absent: any."`
			Kind     string `query:"kind" enum:"prompt,greeting,music" default:"prompt"`
			RawBody  []byte `contentType:"audio/wav"`
		}) (*One[postgres.MediaRow], error) {
			m, err := a.Service.AddMedia(ctx, TenantOf(ctx), provisioning.MediaText{Name: in.Name, Language: in.Language, Kind: in.Kind}, in.RawBody)
			return OneOf(shownMedia(m), err)
		})
	Add(a, MediaRead, huma.Operation{OperationID: "get-media", Method: http.MethodGet, Path: base + "/{media}", Summary: "Show what is known of a sound", Tags: tags},
		func(ctx context.Context, in *MediaInput) (*One[postgres.MediaRow], error) {
			m, err := a.Service.MediaByID(ctx, TenantOf(ctx), in.Media)
			return OneOf(shownMedia(m), err)
		})
	Add(a, MediaWrite, huma.Operation{OperationID: "update-media", Method: http.MethodPut, Path: base + "/{media}", Summary: "Change the name, language or kind of a sound",
		Description: "One that is played keeps its name and language.", Tags: tags},
		func(ctx context.Context, in *struct {
			MediaInput
			Body MediaBody
		}) (*One[postgres.MediaRow], error) {
			m, err := a.Service.DescribeMedia(ctx, TenantOf(ctx), in.Media, provisioning.MediaText(in.Body), func(m postgres.MediaRow) bool { return in.Holds(shownMedia(m)) })
			return OneOf(shownMedia(m), err)
		})
	Add(a, MediaWrite, huma.Operation{OperationID: "replace-media-sound", Method: http.MethodPut, Path: base + "/{media}/sound", Summary: "Give it another sound",
		Description: wavOnly + " Whatever plays it plays the new one from then on.", Tags: tags, MaxBodyBytes: maxSoundBody, BodyReadTimeout: soundWait},
		func(ctx context.Context, in *struct {
			MediaInput
			RawBody []byte `contentType:"audio/wav"`
		}) (*One[postgres.MediaRow], error) {
			m, err := a.Service.ReplaceMedia(ctx, TenantOf(ctx), in.Media, in.RawBody, func(m postgres.MediaRow) bool { return in.Holds(shownMedia(m)) })
			return OneOf(shownMedia(m), err)
		})
	Add(a, MediaWrite, huma.Operation{OperationID: "delete-media", Method: http.MethodDelete, Path: base + "/{media}", Summary: "Remove a sound that nothing plays", Tags: tags},
		func(ctx context.Context, in *MediaInput) (*None, error) {
			return nil, a.Service.RemoveMedia(ctx, TenantOf(ctx), in.Media, func(m postgres.MediaRow) bool { return in.Holds(shownMedia(m)) })
		})
	Add(a, MediaRead, huma.Operation{OperationID: "list-media-uses", Method: http.MethodGet, Path: base + "/{media}/uses", Summary: "List what plays a sound",
		Description: "In drafts, in the version that runs, in the one that is tried, and for held callers. Versions before play it too, should they come back.", Tags: tags},
		func(ctx context.Context, in *struct {
			Media string `path:"media" maxLength:"64"`
		}) (*PageOutput[provisioning.MediaUse], error) {
			uses, err := a.Service.MediaUses(ctx, TenantOf(ctx), in.Media)
			if err != nil {
				return nil, err
			}
			return &PageOutput[provisioning.MediaUse]{Body: PageBody[provisioning.MediaUse]{Items: append([]provisioning.MediaUse{}, uses...)}}, nil
		})
	AddHandler[Nothing, Nothing](a, MediaRead, huma.Operation{OperationID: "get-media-sound", Method: http.MethodGet, Path: base + "/{media}/sound", Summary: "Hear a sound", Tags: tags,
		Parameters: []*huma.Param{Parameter("path", "media", "", "Id of the sound.")}, Responses: SoundResponse()}, func(c *gin.Context) {
		m, err := a.Service.MediaByID(c.Request.Context(), c.Param("tenant"), c.Param("media"))
		if err != nil {
			a.Fail(c, err)
			return
		}
		if a.Service.Sounds == nil {
			a.Fail(c, ErrNoMediaFolder())
			return
		}
		file, err := a.Service.Sounds.Open(m.SHA256)
		a.SendSound(c, m.ID+".wav", m.ChangedAt, file, err)
	})
}

func shownMedia(m postgres.MediaRow) postgres.MediaRow {
	m.CreatedAt, m.ChangedAt = m.CreatedAt.UTC(), m.ChangedAt.UTC()
	return m
}

// SoundResponse describes the answer of an operation that gives a sound.
func SoundResponse() map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: "The sound.", Content: map[string]*huma.MediaType{"audio/wav": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}
}

// ErrNoMediaFolder is the refusal of a worker that has no sounds.
func ErrNoMediaFolder() error {
	return Refuse(http.StatusServiceUnavailable, "no_media_folder", "This worker has no media folder (TANDEM_MEDIA_DIR).")
}

// Fail answers an operation that AddHandler has added with a refusal.
func (a *API) Fail(c *gin.Context, err error) {
	var p *Problem
	if !errors.As(a.problem(c.Request.Context(), err), &p) {
		p = newProblem(http.StatusInternalServerError, "This cannot be done.")
	}
	c.Header("Content-Type", "application/problem+json")
	c.JSON(p.Status, p)
}

// SendSound answers with a sound, or a part of it (RFC 9110 14.2). It closes the file. err is that of its opening.
func (a *API) SendSound(c *gin.Context, name string, changed time.Time, file io.ReadSeekCloser, err error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		a.Fail(c, Refuse(http.StatusNotFound, "sound_missing", "The sound is not in the media folder."))
		return
	case err != nil:
		a.Fail(c, err)
		return
	}
	defer func() {
		if err := file.Close(); err != nil {
			a.Log.DebugContext(c.Request.Context(), "a sound was not closed", slog.Any("error", err))
		}
	}()
	c.Header("Content-Type", "audio/wav")
	c.Header("Content-Disposition", "inline; filename*=UTF-8''"+url.PathEscape(name))
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Cache-Control", "private, no-cache") // one that was replaced is not heard any more
	http.ServeContent(c.Writer, c.Request, "", changed, file)
}
