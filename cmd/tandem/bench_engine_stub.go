package main

import "context"

func (c *benchEngineCommand) replay(ctx context.Context) ([]figure, error)   { return nil, nil }
