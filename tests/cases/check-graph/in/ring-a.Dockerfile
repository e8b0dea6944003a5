FROM registry.example.com/graphscope/ring-b:0.24.2
