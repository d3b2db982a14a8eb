"""A small base of articles written for these tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ARTICLES: Mapping[str, str] = {
    "delivery/time.md": (
        """---
title: Сроки доставки
aliases: [Сколько дней идёт доставка?, Когда привезут заказ?, За сколько дней доставляете в регионы?,
  Как быстро привезёт курьер?]
---
Собираем заказ один день, курьер привозит за два дня.

## Регионы

Почта везёт от пяти до четырнадцати дней, в Казань три дня.
"""
    ),
    "delivery/cost.md": (
        """---
title: Стоимость доставки
aliases: [Сколько стоит доставка?, Доставка платная?, Какая цена доставки курьером?,
  Есть ли бесплатная доставка?]
---
Курьер стоит 350 рублей, от 4000 рублей доставка бесплатная.
"""
    ),
    "returns/goods.md": (
        """---
title: Как вернуть товар
aliases: [Хочу вернуть товар, Можно ли сдать платье обратно?, Не подошёл размер, как оформить возврат?,
  Возврат товара]
---
Вернуть товар можно в течение 14 дней с чеком.
"""
    ),
    "payment/failed.md": (
        """---
title: Не проходит оплата
aliases: [Оплата не прошла, Почему карту не принимает?, Ошибка при оплате картой, Не могу оплатить заказ]
---
Проверьте лимиты карты и попробуйте другой браузер.
"""
    ),
    "account/password.md": (
        """---
title: Забыл пароль
aliases: [Не могу войти в аккаунт, Как восстановить пароль?, Сменить пароль, Не приходит код для входа]
---
Нажмите «Забыли пароль» и введите почту.
"""
    ),
    "account/password.en.md": (
        """---
title: Forgotten password
aliases: [I cannot log in to my account, How do I reset my password?]
---
Press “Forgot password” and enter your e-mail.
"""
    ),
    "promo/codes.md": (
        """---
title: Промокод не работает
aliases: [Не применяется промокод, Купон не действует, Куда ввести промокод?]
---
Промокод вводят в корзине; на распродажу коды не действуют.
"""
    ),
}


def write_shop(folder: Path, changes: Mapping[str, str] | None = None) -> Path:
    """Writes the shop (with *changes* over it) into *folder* and returns it."""
    for name, text in {**ARTICLES, **(changes or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
