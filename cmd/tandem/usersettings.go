package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/callflows"
	"tandem/provisioning"
	"tandem/provisioning/api"
	rest "tandem/provisioning/client"
	"tandem/tenants"
)

// settingsKeeper carries out what calls set for users.
type settingsKeeper struct{ w *worker }

// SaveSetting saves a setting; who wants it is the device that calls.
func (k settingsKeeper) SaveSetting(ctx context.Context, call callflows.Call, id string, set callflows.UserSetting) (string, error) {
	service := &provisioning.Service{Store: k.w.store}
	refused, err := service.SaveSetting(ctx, call.Tenant, id, "device "+call.Caller.Device, set)
	if err == nil {
		k.w.log.InfoContext(ctx, "a call changes a setting", slog.String("tenant_id", call.Tenant), slog.String("call_id", call.ID), slog.String("user_id", set.User),
			slog.String("setting", string(set.Name)), slog.Bool("on", set.On), slog.String("refused", refused))
	}
	return refused, err
}

// settingsBody asks for a user's settings to be as it says.
type settingsBody struct {
	By       string               `json:"by,omitempty" doc:"Who wants it, besides whose key it is."`
	Settings tenants.UserSettings `json:"settings"`
}

// takenBody are feature codes that were there already.
type takenBody struct {
	Taken []string `json:"taken" nullable:"false"`
}

// settingOperations are what users set for themselves.
func (w *worker) settingOperations(a *api.API) {
	user, path := []*huma.Param{api.Parameter("path", "user", "ada", "Id of the user.")}, "/v1/tenants/{tenant}/users/{user}/settings"
	tags := []string{"users"}
	api.AddHandler[api.Nothing, tenants.UserSettings](a, api.UsersRead.OrOwn(), huma.Operation{OperationID: "get-user-settings", Method: "GET", Path: path, Summary: "Show what a user has set", Tags: tags, Parameters: user}, w.userSettingsAPI)
	api.AddHandler[settingsBody, tenants.UserSettings](a, api.UsersWrite.OrOwn(), huma.Operation{OperationID: "set-user-settings", Method: "PUT", Path: path, Summary: "Set a user's forwards, do not disturb, speed dials", Tags: tags, Parameters: user}, w.setUserSettingsAPI)
	api.AddHandler[api.Nothing, takenBody](a, api.FlowsWrite, huma.Operation{OperationID: "add-feature-codes", Method: "POST", Path: "/v1/tenants/{tenant}/feature-codes", Summary: "Add drafts of the usual feature codes", Tags: tags}, w.featureCodesAPI)
}

// userSettingsAPI shows what a user has set.
func (w *worker) userSettingsAPI(c *gin.Context) {
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		return s.UserSettings(ctx, c.Param("tenant"), c.Param("user"))
	})
}

// setUserSettingsAPI makes a user's settings those of the body.
func (w *worker) setUserSettingsAPI(c *gin.Context) {
	var asked settingsBody
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"by": "who wants it", "settings": {...}}.`)
		return
	}
	asked.Settings.User = c.Param("user")
	asked.By = api.By(c.Request.Context(), asked.By)
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		set, err := s.SetUserSettings(ctx, c.Param("tenant"), asked.Settings, asked.By)
		if err == nil {
			w.log.InfoContext(ctx, "a user's settings are changed", slog.String("tenant_id", c.Param("tenant")), slog.String("user_id", set.User), slog.String("by", asked.By))
		}
		return set, err
	})
}

// featureCodesAPI adds drafts of the usual feature codes.
func (w *worker) featureCodesAPI(c *gin.Context) {
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		taken, err := s.AddFeatureCodes(ctx, c.Param("tenant"))
		return gin.H{"taken": append([]string{}, taken...)}, err
	})
}

// userCommands look at what a user has set, and change it.
type userCommands struct {
	Show  userShowCommand  `cmd:"" help:"Show what a user has set."`
	Set   userSetCommand   `cmd:"" help:"Change what a user has set. What is not named stays as it is."`
	Codes userCodesCommand `cmd:"" help:"Add drafts of the usual feature codes to a tenant."`
}

// userShowCommand shows settings.
type userShowCommand struct {
	client
	Tenant string `arg:"" help:"The tenant's id."`
	User   string `arg:"" help:"The user's id."`
}

// Run shows.
func (c *userShowCommand) Run(ctx context.Context) error {
	answer, err := c.api().GetUserSettings(ctx, c.Tenant, c.User)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	return showSettings(answer.Body)
}

func showSettings(set rest.UserSettings) error {
	onOff := func(on bool) string { return map[bool]string{true: "on", false: "off"}[on] }
	forward := func(name string, to *rest.Forward) []string {
		f := orZero(to)
		what := onOff(f.On)
		if f.To != "" {
			what += ", to " + f.To
		}
		if f.Confirm {
			what += ", to be accepted with 1"
		}
		return []string{name, what, momentWords(f.Since)}
	}
	noAnswer := forward("forward_no_answer", set.ForwardNoAnswer)
	if set.NoAnswerSeconds > 0 {
		noAnswer[1] += fmt.Sprintf(", after %d s", set.NoAnswerSeconds)
	}
	rows := [][]string{forward("forward_all", set.ForwardAll), forward("forward_busy", set.ForwardBusy), noAnswer,
		{"do_not_disturb", onOff(set.DoNotDisturb), momentWords(set.DoNotDisturbSince)}, {"call_waiting", onOff(!set.NoCallWaiting), ""},
		{"reject_anonymous", onOff(set.RejectAnonymous), ""}}
	for _, key := range slices.Sorted(maps.Keys(set.SpeedDials)) {
		rows = append(rows, []string{"speed_dial " + key, set.SpeedDials[key], ""})
	}
	return table("SETTING VALUE SINCE", rows)
}

// userSetCommand changes settings.
type userSetCommand struct {
	client
	Tenant          string            `arg:"" help:"The tenant's id."`
	User            string            `arg:"" help:"The user's id."`
	By              string            `help:"Who wants it." default:"operator"`
	ForwardAll      *string           `help:"Forward all calls to this extension or number; empty: none."`
	ForwardBusy     *string           `help:"Forward calls that find the user busy; empty: none."`
	ForwardNoAnswer *string           `help:"Forward calls that the user does not answer; empty: none."`
	NoAnswerSeconds *int64            `help:"How long it rings before that; 0: as long as the flow says."`
	Confirm         *bool             `negatable:"" help:"Whoever answers where calls are forwarded to must key 1 to take them."`
	DoNotDisturb    *bool             `negatable:"" help:"Whoever rings the user finds him busy."`
	CallWaiting     *bool             `negatable:"" help:"The user may be rung while he is in a call."`
	RejectAnonymous *bool             `negatable:"" help:"Callers who hide their number are refused."`
	SpeedDial       map[string]string `help:"KEY=NUMBER; KEY= takes one away."`
}

// Run changes what was named and leaves the rest.
func (c *userSetCommand) Run(ctx context.Context) error {
	had, err := c.api().GetUserSettings(ctx, c.Tenant, c.User)
	if err != nil {
		return c.refused(err)
	}
	set := had.Body
	if err := c.change(&set); err != nil {
		return err
	}
	answer, err := c.api().SetUserSettings(ctx, c.Tenant, c.User, rest.SettingsBody{By: c.By, Settings: set})
	if done, err := told(c.client, answer, err); done {
		return err
	}
	return showSettings(answer.Body)
}

func (c *userSetCommand) change(set *rest.UserSettings) error {
	changed := len(c.SpeedDial) > 0
	for _, f := range []struct {
		to  *string
		set **rest.Forward
	}{{c.ForwardAll, &set.ForwardAll}, {c.ForwardBusy, &set.ForwardBusy}, {c.ForwardNoAnswer, &set.ForwardNoAnswer}} {
		now := orZero(*f.set)
		if f.to != nil {
			changed = true
			now.On = *f.to != ""
			if now.On {
				now.To = *f.to
			}
		}
		if c.Confirm != nil && now.To != "" {
			changed = true
			now.Confirm = *c.Confirm
		}
		*f.set = &now
	}
	put(&set.NoAnswerSeconds, c.NoAnswerSeconds, &changed)
	put(&set.DoNotDisturb, c.DoNotDisturb, &changed)
	put(&set.RejectAnonymous, c.RejectAnonymous, &changed)
	if c.CallWaiting != nil {
		set.NoCallWaiting, changed = !*c.CallWaiting, true
	}
	for key, number := range c.SpeedDial {
		if set.SpeedDials == nil {
			set.SpeedDials = map[string]string{}
		}
		delete(set.SpeedDials, key)
		if number != "" {
			set.SpeedDials[key] = number
		}
	}
	if !changed {
		return errors.New("name at least one setting, such as --forward-all=102 or --do-not-disturb")
	}
	return nil
}

func put[T any](into *T, value *T, changed *bool) {
	if value != nil {
		*into, *changed = *value, true
	}
}

// userCodesCommand adds feature codes.
type userCodesCommand struct {
	client
	Tenant string `arg:"" help:"The tenant's id."`
}

// Run adds them.
func (c *userCodesCommand) Run(ctx context.Context) error {
	answer, err := c.api().AddFeatureCodes(ctx, c.Tenant)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	for _, code := range answer.Body.Taken {
		fmt.Printf("%s leads elsewhere in this tenant, and was left as it is.\n", code)
	}
	fmt.Printf("The feature codes are among the drafts: publish them with tandem version publish %s.\n", plain(c.Tenant))
	return nil
}
