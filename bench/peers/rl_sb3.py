"""Stable-Baselines3's side of `npm run bench -- rl`: steps a second of processor time as JSON, one thread, on the CPU.

pip install stable-baselines3, then BENCH_PYTHON=<its python> npm run bench -- rl
"""
import json
import time

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv

torch.set_num_threads(1)


class Trading(gym.Env):
    """The least a trading environment can do: 14 features, 4 numbers of the account, log growth net of costs."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (18,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    random = np.random.default_rng(1)
    features = random.normal(size=(20_000, 14)).astype(np.float32)
    returns = random.normal(scale=0.01, size=20_000)

    def observe(self):
        seen = np.empty(18, np.float32)
        seen[:14] = self.features[self.row]
        seen[14:] = self.position, 0, 0, 0
        return seen

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.row, self.steps, self.position = int(self.random.integers(19_000)), 0, 0.0
        return self.observe(), {}

    def step(self, action):
        target = max(0.0, float(action[0]))
        cost = 0.0015 * abs(target - self.position)
        self.position = target
        self.row += 1
        self.steps += 1
        reward = float(np.log1p(target * self.returns[self.row] - cost))
        return self.observe(), reward, False, self.steps >= 336, {}


def steps_per_second(model, steps, warm_up=None):
    model.learn(warm_up or steps // 4)
    start = time.process_time()
    model.learn(steps, reset_num_timesteps=False)
    return steps / (time.process_time() - start)


DQN_ZOO = dict(
    learning_rate=2.3e-3,
    batch_size=64,
    buffer_size=100_000,
    learning_starts=1000,
    target_update_interval=10,
    train_freq=256,
    gradient_steps=128,
    exploration_fraction=0.16,
    exploration_final_eps=0.04,
    policy_kwargs=dict(net_arch=[256, 256]),
)
ZOO = dict(n_steps=32, batch_size=256, gae_lambda=0.8, gamma=0.98, n_epochs=20)
print(
    json.dumps(
        {
            "ppoCartPole": steps_per_second(PPO("MlpPolicy", "CartPole-v1", device="cpu"), 8192),
            "ppoCartPoleZoo": steps_per_second(
                PPO("MlpPolicy", make_vec_env("CartPole-v1", 8), device="cpu", **ZOO), 10_240
            ),
            "ppoTrading": steps_per_second(
                PPO("MlpPolicy", DummyVecEnv([Trading] * 8), n_steps=256, device="cpu"), 8192
            ),
            "dqnCartPole": steps_per_second(DQN("MlpPolicy", "CartPole-v1", device="cpu", buffer_size=100_000), 8000),
            "dqnCartPoleZoo": steps_per_second(DQN("MlpPolicy", "CartPole-v1", device="cpu", **DQN_ZOO), 4096, 2048),
        }
    )
)
