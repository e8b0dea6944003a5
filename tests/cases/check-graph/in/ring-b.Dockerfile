FROM registry.example.com/graphscope/ring-a:0.24.2
