module agentical/pause

go 1.21
