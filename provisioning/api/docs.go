package api

func (a *API) docs() {}
