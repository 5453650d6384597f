package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/postgres"
	"tandem/provisioning"
)

// wholeBox is a box with all that is set of it.
type wholeBox struct {
	Box         string          `json:"box"`
	Name        string          `json:"name"`
	Extension   string          `json:"extension"`
	PIN         bool            `json:"pin" doc:"It has one, and can be opened by telephone."`
	LockedUntil *time.Time      `json:"locked_until,omitempty" doc:"By wrong PINs; another one opens it at once."`
	New         int             `json:"new"`
	Heard       int             `json:"heard"`
	Greetings   []greetingShown `json:"greetings" nullable:"false" doc:"Its own."`
}

// greetingShown is a greeting of a box's own.
type greetingShown struct {
	Language  string    `json:"language,omitempty" doc:"Absent: any."`
	LengthMS  int       `json:"length_ms"`
	SHA256    string    `json:"sha256"`
	ChangedAt time.Time `json:"changed_at"`
}

func shownGreeting(m postgres.MediaRow) greetingShown {
	return greetingShown{Language: m.Language, LengthMS: m.LengthMS, SHA256: m.SHA256, ChangedAt: m.ChangedAt.UTC()}
}

func shownBox(b provisioning.Box) wholeBox {
	w := wholeBox{Box: b.User.ID, Name: b.User.Name, Extension: b.User.Extension, PIN: b.PIN, LockedUntil: inUTC(b.LockedUntil), New: b.New, Heard: b.Heard, Greetings: []greetingShown{}}
	for _, g := range b.Greetings {
		w.Greetings = append(w.Greetings, shownGreeting(g))
	}
	return w
}

// BoxInput names a box.
type BoxInput struct {
	Box string `path:"box" maxLength:"64" doc:"Its user, by id or extension."`
}

// GreetingInput names a greeting of a box.
type GreetingInput struct {
	BoxInput
	Language string `query:"language" maxLength:"6" example:"de-AT" doc:"Absent: the one for any language."`
}

// boxes are what is set of voicemail boxes. Their messages are the worker's own operations.
func (a *API) boxes() {
	tags, base := []string{"voicemail"}, "/v1/tenants/{tenant}/voicemail/{box}"
	Add(a, VoicemailRead, huma.Operation{OperationID: "get-box", Method: http.MethodGet, Path: base, Summary: "Show a voicemail box", Tags: tags},
		func(ctx context.Context, in *BoxInput) (*One[wholeBox], error) {
			b, err := a.Service.Box(ctx, TenantOf(ctx), in.Box)
			return OneOf(shownBox(b), err)
		})
	Add(a, VoicemailWrite, huma.Operation{OperationID: "delete-box-pin", Method: http.MethodDelete, Path: base + "/pin", Summary: "Let nobody open a box by telephone",
		Description: "Its messages stay, and it takes others.", Tags: tags},
		func(ctx context.Context, in *BoxInput) (*None, error) {
			return nil, a.Service.ClosePIN(ctx, TenantOf(ctx), in.Box)
		})
	Add(a, VoicemailWrite, huma.Operation{OperationID: "set-box-greeting", Method: http.MethodPut, Path: base + "/greeting", Summary: "Give a box a greeting of its own",
		Description: wavOnly + " Callers hear it where the flow names no other greeting.", Tags: tags, MaxBodyBytes: maxSoundBody, BodyReadTimeout: soundWait},
		func(ctx context.Context, in *struct {
			GreetingInput
			RawBody []byte `contentType:"audio/wav"`
		}) (*One[greetingShown], error) {
			m, err := a.Service.SetGreeting(ctx, TenantOf(ctx), in.Box, in.Language, in.RawBody)
			return OneOf(shownGreeting(m), err)
		})
	Add(a, VoicemailWrite, huma.Operation{OperationID: "delete-box-greeting", Method: http.MethodDelete, Path: base + "/greeting", Summary: "Take a box's own greeting away", Tags: tags},
		func(ctx context.Context, in *GreetingInput) (*None, error) {
			return nil, a.Service.RemoveGreeting(ctx, TenantOf(ctx), in.Box, in.Language)
		})
	Add(a, VoicemailWrite, huma.Operation{OperationID: "mark-message-unheard", Method: http.MethodPost, Path: base + "/messages/{message}/unheard", Summary: "Mark a message as new again", Tags: tags},
		func(ctx context.Context, in *struct {
			BoxInput
			Message string `path:"message" maxLength:"256" doc:"Id of the message."`
		}) (*None, error) {
			return nil, a.Service.MarkUnheard(ctx, TenantOf(ctx), in.Box, strings.ReplaceAll(in.Message, ".", "/"))
		})
	AddHandler[Nothing, Nothing](a, VoicemailRead, huma.Operation{OperationID: "get-box-greeting", Method: http.MethodGet, Path: base + "/greeting", Summary: "Hear a box's own greeting", Tags: tags,
		Parameters: []*huma.Param{Parameter("path", "box", "", "Its user, by id or extension."), Parameter("query", "language", "", "Absent: the one for any language.")}, Responses: SoundResponse()}, func(c *gin.Context) {
		m, err := a.Service.Greeting(c.Request.Context(), c.Param("tenant"), c.Param("box"), c.Query("language"))
		if err == nil && a.Service.Sounds == nil {
			err = ErrNoMediaFolder()
		}
		if err != nil {
			a.Fail(c, err)
			return
		}
		file, err := a.Service.Sounds.Open(m.SHA256)
		a.SendSound(c, "greeting.wav", m.ChangedAt, file, err)
	})
}
